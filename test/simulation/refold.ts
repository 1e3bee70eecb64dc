import { deserialize, serialize } from 'node:v8';
import { isDeepStrictEqual } from 'node:util';
import { LogFold, type FoldRules, type Folded, type Projection } from '../../gateway/controller/logFold.ts';
import { fleetRules, zoneRules } from '../../gateway/core/foldRules.ts';
import { createMemoryLog } from '../../infra/log/memory.ts';
import { FLEET_LOG, type LogName, type StoredCommit } from '../../infra/log/port.ts';
import type { Random } from './random.ts';
import { ZONE_LOG, type Witness } from './witness.ts';

/**
 * Folds the whole of both logs again: in one go, and in two pieces with a snapshot between them, as a restarted gateway does. Null
 * when both come to the same (what is shown, the memory of commands and the head of the chain), and to what the witness came
 * to commit by commit. It costs the whole log, so it is asked now and then and not after every step.
 */
export function foldsApart(witness: Witness, random: Random): string | null {
  return (
    apart({ log: ZONE_LOG, rules: zoneRules('default'), state: witness.zone }, witness, random) ??
    apart({ log: FLEET_LOG, rules: fleetRules, state: witness.fleet }, witness, random)
  );
}

interface Kind<State, View extends Projection<State>> {
  readonly log: LogName;
  readonly rules: FoldRules<State, View>;
  /** What the witness came to. */
  readonly state: State;
}

function apart<State, View extends Projection<State>>(
  kind: Kind<State, View>,
  witness: Witness,
  random: Random,
): string | null {
  const { log, state } = kind;
  const history = witness.historyOf(log);
  const split = random.int(0, history.length);
  const whole = folded(kind, null, history);
  const half = folded(kind, null, history.slice(0, split));
  const snapshot = deserialize(serialize(half)) as Folded<View>;
  const pieces = folded(kind, snapshot, history.slice(split));
  if (!isDeepStrictEqual(whole.view.state, state)) return `the log ${log} folded anew is another state`;
  if (!isDeepStrictEqual(whole, pieces))
    return `folding ${log} with a snapshot at version ${split} gives another state`;
  return null;
}

function folded<State, View extends Projection<State>>(
  { log, rules }: Kind<State, View>,
  from: Folded<View> | null,
  commits: readonly StoredCommit[],
): Folded<View> {
  const fold = new LogFold<State, View>({ log, eventLog: createMemoryLog(), rules, from });
  for (const stored of commits) fold.take(stored);
  return fold.folded;
}
