import { publishAcked, purgeSubject, subjectsOf } from '../../infra/bus/api.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import { SNAPSHOTS_STREAM, SNAPSHOT_PARTS } from '../../infra/names.ts';
import type { SnapshotInfo } from '../../infra/snapshots/port.ts';

/** Other bytes of the same length stand where the snapshot's parts were. */
export async function damageSnapshot(bus: Bus, info: SnapshotInfo): Promise<void> {
  const parts = await subjectsOf(bus, SNAPSHOTS_STREAM, `${SNAPSHOT_PARTS}*`);
  for (const subject of parts.filter((one) => one.includes(`${info.log}_${info.version}_`))) {
    await purgeSubject(bus, SNAPSHOTS_STREAM, subject);
    await publishAcked(bus, subject, new Uint8Array(info.bytes));
  }
}
