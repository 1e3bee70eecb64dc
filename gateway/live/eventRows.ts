import { formatPosition } from '../../domain/commit.ts';
import type { AnyEvent } from '../../domain/events.ts';
import type { StoredCommit } from '../../infra/log/port.ts';

/** An event as it is shown, with its place. `position` is that of its commit, since positions fall on commit ends. */
export type EventRow = AnyEvent & {
  readonly position: string;
  readonly log: string;
  readonly version: number;
  readonly index: number;
};

export function eventRows(log: string, { commit }: StoredCommit): readonly EventRow[] {
  const { version, events } = commit;
  const position = formatPosition(log, version);
  const rows: EventRow[] = [];
  for (const [index, event] of events.entries()) rows.push({ ...event, position, log, version, index });
  return rows;
}

/** The log and version of a position, or null when the text is none. */
export function parsePosition(text: string): { readonly log: string; readonly version: number } | null {
  const match = /^([A-Za-z0-9_-]{1,80}):(\d{1,15})$/.exec(text);
  const [, log, version] = match ?? [];
  return log === undefined || version === undefined ? null : { log, version: Number(version) };
}
