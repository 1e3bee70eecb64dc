import { readOnline } from '../../infra/log/online.ts';
import type { EventLog, LogName, StoredCommit } from '../../infra/log/port.ts';
import { changeOf } from '../../projections/change.ts';
import type { ChangeView } from '../../projections/views.ts';

/** So many are shown. */
export const CHANGES_KEPT = 20;
/** So many commits of each log are looked through after a start, so that a long log costs no more than a short one. */
const COMMITS_LOOKED_THROUGH = 500;

/** The last events of all logs that an operator should hear of. */
export class RecentChanges {
  /** Newest first. Another list whenever something is added. */
  all: readonly ChangeView[] = [];

  note(log: LogName, { commit }: StoredCommit): void {
    const told = changesIn(log, commit);
    if (told.length > 0) this.all = newestOf([...told, ...this.all]);
  }

  /** What happened before this gateway listened: from the end of a log that stands at version `head`. */
  async recall(eventLog: Pick<EventLog, 'read'>, log: LogName, head: number): Promise<void> {
    let told: readonly ChangeView[] = [];
    for await (const { commit } of readOnline(eventLog, log, Math.max(0, head - COMMITS_LOOKED_THROUGH))) {
      told = newestOf([...changesIn(log, commit), ...told]);
    }
    const known = new Set(this.all.map(keyOf));
    const old = told.filter((change) => !known.has(keyOf(change)));
    if (old.length > 0) this.all = newestOf([...this.all, ...old]);
  }
}

/** Newest first. */
function changesIn(log: LogName, { version, events }: StoredCommit['commit']): readonly ChangeView[] {
  return events.flatMap((event, index) => changeOf(log, version, index, event) ?? []).toReversed();
}

/** Of those of one moment the order stays, so that a log's events stand in theirs. */
function newestOf(changes: readonly ChangeView[]): readonly ChangeView[] {
  return changes.toSorted((a, b) => (a.at === b.at ? 0 : a.at < b.at ? 1 : -1)).slice(0, CHANGES_KEPT);
}

function keyOf({ position, index }: ChangeView): string {
  return `${position}/${index}`;
}
