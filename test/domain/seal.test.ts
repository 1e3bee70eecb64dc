import test from 'ava';
import { decideFleet } from '../../domain/fleet/decide.ts';
import { evolveFleet } from '../../domain/fleet/evolve.ts';
import { initialFleet } from '../../domain/fleet/state.ts';
import { decideSeal, firstEpoch, nextEpoch } from '../../domain/logs/seal.ts';
import { decideZone } from '../../domain/zone/decide.ts';
import { evolveZone } from '../../domain/zone/evolve.ts';
import { initialZone } from '../../domain/zone/state.ts';

const TIME = '2026-11-01T12:00:00.000Z';
const SEALED = { type: 'LogSealed', data: { epoch: 1 } } as const;

const refusalOf = (decision: ReturnType<typeof decideSeal>) =>
  decision.kind === 'rejected' ? decision.rejection.code : decision.facts;

test('a log is sealed when something was written since the last seal', (t) => {
  t.deepEqual(decideSeal(firstEpoch(), 1), {
    kind: 'accepted',
    facts: [SEALED],
    outcome: { epoch: 1 },
    detail: undefined,
  });
  const second = nextEpoch(SEALED, { version: 7, time: TIME });
  t.deepEqual(second, { number: 2, sealedAt: 7 });
  t.is(refusalOf(decideSeal(second, 7)), 'LOG_JUST_SEALED');
  t.deepEqual(refusalOf(decideSeal(second, 8)), [{ type: 'LogSealed', data: { epoch: 2 } }]);
});

test('an empty log is not sealed, and a second seal in one commit is refused', (t) => {
  t.is(refusalOf(decideSeal(firstEpoch(), 0)), 'LOG_JUST_SEALED');
  const inTheCommitToCome = nextEpoch(SEALED, { version: 8, time: TIME });
  t.is(refusalOf(decideSeal(inTheCommitToCome, 7)), 'LOG_JUST_SEALED');
});

test('a zone and the fleet are sealed alike, and the seal changes nothing else of them', (t) => {
  const zone = initialZone();
  const context = { now: TIME, logId: 'log', version: 3 };
  t.deepEqual(refusalOfZone(decideZone(zone, { type: 'SealLog' }, context)), [SEALED]);
  evolveZone(zone, SEALED, { version: 4, time: TIME });
  t.deepEqual(zone, { ...initialZone(), time: TIME, epoch: { number: 2, sealedAt: 4 } });
  t.is(refusalOfZone(decideZone(zone, { type: 'SealLog' }, { ...context, version: 4 })), 'LOG_JUST_SEALED');

  const fleet = initialFleet();
  const facts = decideFleet(fleet, { type: 'SealLog' }, { allowedRegistries: [], version: 3, now: TIME });
  t.deepEqual(facts.kind === 'accepted' ? facts.facts : [], [SEALED]);
  evolveFleet(fleet, SEALED, { version: 4, time: TIME });
  t.deepEqual(fleet, { ...initialFleet(), epoch: { number: 2, sealedAt: 4 } });
});

function refusalOfZone(decision: ReturnType<typeof decideZone>) {
  return decision.kind === 'rejected' ? decision.rejection.code : decision.facts;
}
