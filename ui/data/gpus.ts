import type { GpuView } from '../../projections/views.ts';

/** Whether a device takes sessions, and if not, why; a reason that its health has told already is not said again. */
export function schedulableText({ schedulable, reason, healthReason }: GpuView): string {
  if (schedulable) return 'yes';
  return reason !== null && reason === healthReason ? 'no' : `no: ${reason ?? 'no reason given'}`;
}
