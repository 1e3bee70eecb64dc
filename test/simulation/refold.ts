import { deserialize, serialize } from 'node:v8';
import { isDeepStrictEqual } from 'node:util';
import type { ZoneState } from '../../domain/zone/state.ts';
import { LogFold, type Folded } from '../../gateway/controller/logFold.ts';
import { zoneRules } from '../../gateway/core/foldRules.ts';
import { createMemoryLog } from '../../infra/log/memory.ts';
import type { StoredCommit } from '../../infra/log/port.ts';
import type { ZoneProjection } from '../../projections/zoneProjection.ts';
import type { Random } from './random.ts';
import { ZONE_LOG, type Witness } from './witness.ts';

/**
 * Folds the whole log again: in one go, and in two pieces with a snapshot between them, as a restarted gateway does. Null
 * when both come to the same (what is shown, the memory of commands and the head of the chain), and to what the witness came
 * to commit by commit. It costs the whole log, so it is asked now and then and not after every step.
 */
export function foldsApart(witness: Witness, random: Random): string | null {
  const history = witness.historyOf(ZONE_LOG);
  const split = random.int(0, history.length);
  const whole = folded(null, history);
  const half = folded(null, history.slice(0, split));
  const snapshot = deserialize(serialize(half)) as Folded<ZoneProjection>;
  const pieces = folded(snapshot, history.slice(split));
  if (!isDeepStrictEqual(whole.view.state, witness.zone)) return 'the log folded anew is another state';
  if (!isDeepStrictEqual(whole, pieces)) return `folding with a snapshot at version ${split} gives another state`;
  return null;
}

function folded(from: Folded<ZoneProjection> | null, commits: readonly StoredCommit[]): Folded<ZoneProjection> {
  const eventLog = createMemoryLog();
  const fold = new LogFold<ZoneState, ZoneProjection>({ log: ZONE_LOG, eventLog, rules: zoneRules('default'), from });
  for (const stored of commits) fold.take(stored);
  return fold.folded;
}
