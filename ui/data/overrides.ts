import { overrideNeedsConfirm } from '../../domain/agents/capacity.ts';
import { memoryRisks, type MemoryRisk } from '../../domain/agents/memoryRisk.ts';
import {
  coresText,
  formatBytes,
  formatCores,
  overrideRatio,
  parseCores,
  parseMemory,
  type Parsed,
} from '../../domain/units.ts';
import type { AgentView, OverrideView } from '../../projections/views.ts';

/** What is said under an override's field while somebody types. `none`: no override, capacity is physical. */
export interface OverrideEcho {
  readonly kind: 'none' | 'ok' | 'unusual' | 'invalid';
  readonly text: string;
  /** The risk that comes with this value, with the level of the worst, or null. */
  readonly risk: MemoryRisk | null;
}

export function coresEcho(text: string, physical: AgentView['physical']): OverrideEcho {
  return echo(text, parseCores, physical?.millicores ?? null, coresText, () => null);
}

/** The risk is that of the day when sessions have been placed up to the override and use all of it. */
export function memoryEcho(
  text: string,
  { physical, swapBytes }: Pick<AgentView, 'physical' | 'swapBytes'>,
): OverrideEcho {
  return echo(text, parseMemory, physical?.memoryBytes ?? null, formatBytes, (override, there) => {
    const risks = memoryRisks({ limits: override, physical: there, swap: swapBytes ?? 0, override });
    const [worst] = risks;
    if (worst === undefined) return null;
    const sentence = `When sessions use all of it: ${risks.map((risk) => risk.sentence).join('; ')}.`;
    return { level: worst.level, sentence };
  });
}

/** `set when physical was 6 cores, now 8 cores`, when the hardware has changed since; else null. */
export function setWhenText(
  override: OverrideView | null,
  now: number | null,
  format: (value: number) => string,
): string | null {
  const then = override?.setWhenPhysical ?? null;
  if (then === null || now === null || then === now) return null;
  return `set when physical was ${format(then)}, now ${format(now)}`;
}

/** One line under an agent's name per override: `CPU override 12, x2.0 of 6 cores`. */
export function overrideLines(
  cores: OverrideView | null,
  memory: OverrideView | null,
  physical: AgentView['physical'],
): readonly string[] {
  return [
    ...line('CPU', cores, physical?.millicores ?? null, coresText, formatCores),
    ...line('RAM', memory, physical?.memoryBytes ?? null, formatBytes, formatBytes),
  ];
}

function line(
  label: string,
  override: OverrideView | null,
  physical: number | null,
  format: (value: number) => string,
  short: (value: number) => string,
): readonly string[] {
  if (override === null) return [];
  const ratio = physical === null ? '' : `, ${overrideRatio(override.value, physical, format(physical))}`;
  const changed = setWhenText(override, physical, short);
  return [`${label} override ${short(override.value)}${ratio}${changed === null ? '' : `, ${changed}`}`];
}

function echo(
  text: string,
  parse: (text: string) => Parsed,
  physical: number | null,
  format: (value: number) => string,
  riskOf: (value: number, physical: number) => MemoryRisk | null,
): OverrideEcho {
  const parsed: Parsed = text.trim() === '' ? { ok: true, value: 0 } : parse(text);
  if (!parsed.ok) return { kind: 'invalid', text: parsed.problem, risk: null };
  const { value } = parsed;
  if (value === 0) {
    const what = physical === null ? 'what the agent reports' : `the physical ${format(physical)}`;
    return { kind: 'none', text: `No override: placement counts with ${what}.`, risk: null };
  }
  if (physical === null) return { kind: 'ok', text: format(value), risk: null };
  const unusual = overrideNeedsConfirm(value, physical);
  return {
    kind: unusual ? 'unusual' : 'ok',
    text: `${format(value)}, ${overrideRatio(value, physical, format(physical))}${unusual ? '; unusual, you will be asked to confirm' : ''}`,
    risk: riskOf(value, physical),
  };
}
