import {
  LABEL_KEY_PATTERN,
  LABEL_KEY_RULE,
  LABEL_VALUE_PATTERN,
  LABEL_VALUE_RULE,
  LABELS_LIMIT,
  labelTexts,
  type Labels,
} from '../../domain/labels.ts';
import type { PruneMode } from '../../domain/pruneMode.ts';
import type { AgentView } from '../../projections/views.ts';
import { asSentence } from './explain.ts';
import type { ChangedField } from './fieldChanges.ts';
import { Problem } from './problem.ts';

/** The settings of an agent as a form has them; labels are lines `key=value`. */
export interface SettingFields {
  readonly enabled: boolean;
  readonly pruneMode: PruneMode;
  readonly labels: string;
}

/** What is sent: only what was changed. */
export interface SettingChange {
  readonly enabled?: boolean;
  readonly pruneMode?: PruneMode;
  readonly labels?: Labels;
}

export function settingsOf({ intent, pruneMode, labels }: AgentView): SettingFields {
  return { enabled: intent === 'enabled', pruneMode, labels: labelTexts(labels).join('\n') };
}

/** What is wrong with labels as they were typed, as a sentence; null: nothing. */
export function labelsProblem(text: string): string | null {
  const lines = linesOf(text);
  if (lines.length > LABELS_LIMIT) return `At most ${LABELS_LIMIT} labels; these are ${lines.length}.`;
  const seen = new Set<string>();
  for (const line of lines) {
    const { key, value } = labelIn(line);
    if (!LABEL_KEY_PATTERN.test(key)) return `"${line}": ${LABEL_KEY_RULE}.`;
    if (!LABEL_VALUE_PATTERN.test(value)) return `"${line}": ${LABEL_VALUE_RULE}.`;
    if (seen.has(key)) return `"${line}": the key ${key} stands there twice.`;
    seen.add(key);
  }
  return null;
}

/** Call it only for labels without a problem. */
export function labelsFrom(text: string): Labels {
  return Object.fromEntries(
    linesOf(text).map((line) => {
      const { key, value } = labelIn(line);
      return [key, value];
    }),
  );
}

/** What differs, of labels what they mean: spaces and their order do not count. */
export function settingChange(before: SettingFields, after: SettingFields): SettingChange {
  const { enabled, pruneMode, labels } = after;
  return {
    ...(enabled === before.enabled ? {} : { enabled }),
    ...(pruneMode === before.pruneMode ? {} : { pruneMode }),
    ...(sameLabels(before.labels, labels) ? {} : { labels: labelsFrom(labels) }),
  };
}

export function isSameSettings(a: SettingFields, b: SettingFields): boolean {
  return Object.keys(settingChange(a, b)).length === 0;
}

/** The same for people to read. */
export function changedSettings(before: SettingFields, after: SettingFields): readonly ChangedField[] {
  const { enabled, pruneMode, labels } = settingChange(before, after);
  return [
    ...(enabled === undefined
      ? []
      : [{ label: 'Enabled', before: yesNo(before.enabled), after: yesNo(after.enabled) }]),
    ...(pruneMode === undefined ? [] : [{ label: 'Image pruning', before: before.pruneMode, after: after.pruneMode }]),
    ...(labels === undefined ? [] : [{ label: 'Labels', before: before.labels, after: after.labels }]),
  ];
}

/** What was typed on top of what somebody else has saved meanwhile: theirs where nothing was typed. */
export function rebasedSettings(before: SettingFields, typed: SettingFields, theirs: SettingFields): SettingFields {
  const { enabled, pruneMode, labels } = settingChange(before, typed);
  return {
    enabled: enabled ?? theirs.enabled,
    pruneMode: pruneMode ?? theirs.pruneMode,
    labels: labels === undefined ? theirs.labels : typed.labels,
  };
}

/** Whether both changed the same thing, and not to the same. */
export function differ(before: SettingFields, typed: SettingFields, theirs: SettingFields): boolean {
  const [mine, other] = [settingChange(before, typed), settingChange(before, theirs)];
  const left = settingChange(theirs, typed);
  return (['enabled', 'pruneMode', 'labels'] as const).some((name) => name in mine && name in other && name in left);
}

/** What a refusal says of the labels, to be shown at their field; null: it is of something else. */
export function refusedLabels(refusal: unknown): string | null {
  if (!(refusal instanceof Problem)) return null;
  const errors = refusal.details.errors ?? [];
  const [first] = errors;
  if (first === undefined || !errors.every(({ path }) => /^labels(\.|$)/.test(path))) return null;
  return asSentence(first.message);
}

function labelIn(line: string): { readonly key: string; readonly value: string } {
  const [key = '', value = ''] = line.split(/=(.*)/s);
  return { key: key.trim(), value: value.trim() };
}

/** Lines or commas: neither stands in a label. */
function linesOf(text: string): readonly string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function sameLabels(a: string, b: string): boolean {
  return labelTexts(labelsFrom(a)).join() === labelTexts(labelsFrom(b)).join();
}

function yesNo(enabled: boolean): string {
  return enabled ? 'yes' : 'no';
}
