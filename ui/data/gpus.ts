import type { GpuUse } from '../../domain/checkIn.ts';
import type { GpuView } from '../../projections/views.ts';
import { age } from './amounts.ts';

/** Whether a device takes sessions, and if not, why; a reason that its health has told already is not said again. */
export function schedulableText({ schedulable, reason, healthReason }: GpuView): string {
  if (schedulable) return 'yes';
  return reason !== null && reason === healthReason ? 'no' : `no: ${reason ?? 'no reason given'}`;
}

/** What an operator should see of a device beside its health: its last Xid, its memory's wear, its MIG instances. */
export function gpuNotes(use: GpuUse | null, now: number): readonly string[] {
  if (use === null) return [];
  const { newestXid, aggregateUncorrected, migInstances } = use;
  const notes = [];
  if (newestXid !== null) notes.push(`last Xid ${newestXid.code}, ${age(Date.parse(newestXid.at), now)} ago`);
  if (aggregateUncorrected !== null && aggregateUncorrected > 0) {
    notes.push(`uncorrected memory errors in its life: ${aggregateUncorrected}`);
  }
  const profiles = migInstances.map(({ profile, gpuInstance }) => profile ?? `instance ${gpuInstance ?? '?'}`);
  if (profiles.length > 0) notes.push(`MIG: ${profiles.join(', ')}`);
  return notes;
}
