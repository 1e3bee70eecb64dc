import { hash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { RULES_VERSION } from '../domain/commit.ts';
import { otherRulesSentence } from '../domain/placement/restSentence.ts';
import { LogFold } from '../gateway/controller/logFold.ts';
import { fleetRules, zoneOf, zoneRules } from '../gateway/core/foldRules.ts';
import { STATE_SCHEMA } from '../gateway/snapshots/snapshot.ts';
import { decodeCommit } from '../infra/log/codec.ts';
import { createMemoryLog } from '../infra/log/memory.ts';
import { explainAt } from '../projections/explainAt.ts';
import { RELEASES, recordedLines } from './support/recorded.ts';

/** `folded.json`: what a release's logs fold to, under which state schema and rules. */
interface Expected {
  readonly stateSchema: number;
  readonly rulesVersion: number;
  /** Per log: its last version, and the digest of everything that was folded from it. */
  readonly folded: Readonly<Record<string, { readonly version: number; readonly digest: string }>>;
}

for (const release of readdirSync(RELEASES)) {
  const expected: Expected = JSON.parse(readFileSync(join(RELEASES, release, 'folded.json'), 'utf8'));
  for (const log of Object.keys(expected.folded)) {
    test(`the ${log} log of release ${release} is read, verified and folded as ever`, async (t) => {
      const lines = await recordedLines(release, log);
      const store = new Map([[log, lines.map((line) => Buffer.from(line))]]);
      const zone = zoneOf(log);
      const options = { log, eventLog: createMemoryLog(store) };
      const fold =
        zone === null
          ? new LogFold({ ...options, rules: fleetRules })
          : new LogFold({ ...options, rules: zoneRules(zone) });
      await fold.catchUp();
      t.is(fold.version, lines.length);
      t.deepEqual(
        {
          stateSchema: STATE_SCHEMA,
          rulesVersion: RULES_VERSION,
          version: fold.version,
          digest: digestOf(fold.folded),
        },
        { ...expected.folded[log], stateSchema: expected.stateSchema, rulesVersion: expected.rulesVersion },
        'what this log folds to has changed. Raise STATE_SCHEMA, so that no snapshot of the old shape is read, and ' +
          'RULES_VERSION when decisions would differ; then write the new values into folded.json',
      );
    });
  }
}

test('a log of an earlier release is written again byte for byte, with what is lifted on reading and the ends of epochs', async (t) => {
  const lines = await recordedLines('0.2.0', 'zone-default');
  const old = '"schemaVersion":1,"type":"AgentHardwareChanged"';
  t.true(lines.some((line) => line.includes(old)) && lines.some((line) => line.includes('"LogSealed"')));
  const first = new Map([['zone-default', lines.map((line) => Buffer.from(line))]]);
  const second = new Map<string, Uint8Array[]>();
  const [from, to] = [createMemoryLog(first), createMemoryLog(second)];
  for await (const { commit, hash } of from.read('zone-default', 0)) {
    t.true(commit.events.every(({ type, schemaVersion }) => type !== 'AgentHardwareChanged' || schemaVersion === 2));
    t.is((await to.append('zone-default', commit.version - 1, commit)).hash, hash);
  }
  t.deepEqual(second, first);
});

/** Maps and sets as lists, in their order; members by name. */
function digestOf(folded: unknown): string {
  return hash(
    'sha256',
    JSON.stringify(folded, (_, value: unknown) => plain(value)),
    'hex',
  ).slice(0, 16);
}

function plain(value: unknown): unknown {
  if (value instanceof Map) return ['map', ...value];
  if (value instanceof Set) return ['set', ...value];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

test('a placement that an earlier release decided is explained by the rules of today, which is said', async (t) => {
  const lines = await recordedLines('0.1.0', 'zone-default');
  const [placed] = lines.flatMap((line) => sessionPlacedIn(line));
  const commits = async function* () {
    for (const line of lines) yield decodeCommit(Buffer.from(line)).commit;
  };
  const explanation = await explainAt(commits(), placed ?? '');
  t.like(explanation, { decision: 'placed', otherRules: 1 });
  t.regex(explanation === null ? '' : (otherRulesSentence(explanation) ?? ''), /^Decided under version 1 of the rules/);
});

function sessionPlacedIn(line: string): readonly string[] {
  const { events } = decodeCommit(Buffer.from(line)).commit;
  return events.flatMap(({ type, data }) => (type === 'SessionPlaced' ? [data.sessionId] : []));
}
