import * as disk from 'node:fs/promises';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { acceptDocument, emptyLedger, noteFailed, noteStarted, noteStarting, type Ledger } from '../agent/ledger.ts';
import { ledgerInFolder, LedgerError, type Disk } from '../agent/ledgerFile.ts';
import { LedgerKeeper } from '../agent/ledgerKeeper.ts';
import { beginRemoval, notePulled, noteSkipped, type Account } from '../agent/prune/ledger.ts';
import { emptyPruneLedger } from '../agent/prune/memory.ts';
import { desired, wanted } from './support/desired.ts';
import { temporaryFolder } from './support/folder.ts';

async function folder(t: ExecutionContext): Promise<string> {
  return join(await temporaryFolder(t), 'agent');
}

const document = desired(3, [wanted('s1'), wanted('s2')]);

function filled(): Ledger {
  let ledger = acceptDocument(emptyLedger, document);
  for (const session of document.sessions) ledger = noteStarting(ledger, document, session);
  ledger = noteStarted(ledger, 'log-a', 's1');
  ledger = noteFailed(ledger, document, 's2', { code: 'NETWORK', detail: 'no route' });
  ledger = notePulled(notePulled(ledger, 'sha256:1', 'a:1'), 'sha256:2', 'b:1');
  ledger = noteSkipped(ledger, 'boot-1', { ...ACCOUNT, outcome: 'skipped' });
  return beginRemoval(ledger, 'boot-1', { tags: ['b:1'], whole: true }, ACCOUNT);
}

const ACCOUNT: Account = {
  outcome: 'removed',
  imageId: 'sha256:2',
  references: ['b:1'],
  freedBytes: 7,
  mode: 'aggressive',
  why: 'no image definition names it',
  asker: { actor: { kind: 'operator', id: 'anna' }, reason: 'the disk is full' },
  at: '2026-01-01T00:00:00.000Z',
};

test('what was saved is loaded again, whole', async (t) => {
  const path = await folder(t);
  t.deepEqual(await ledgerInFolder(path).load(), emptyLedger);
  await ledgerInFolder(path).save(filled());
  t.deepEqual(await ledgerInFolder(path).load(), filled());
});

test('a ledger of a release that removed no images is read', async (t) => {
  const path = await folder(t);
  await ledgerInFolder(path).save({ ...filled(), images: new Map(), prunes: emptyPruneLedger });
  const file = join(path, 'ledger.json');
  const { images, prunes, ...old } = JSON.parse(await readFile(file, 'utf8')) as Readonly<Record<string, unknown>>;
  t.deepEqual(images, []);
  t.truthy(prunes);
  await writeFile(file, JSON.stringify(old));
  t.deepEqual(await ledgerInFolder(path).load(), { ...filled(), images: new Map(), prunes: emptyPruneLedger });
});

test('of very many pulled images the longest ago is forgotten, and with that nobody removes it', (t) => {
  let ledger = emptyLedger;
  for (let number = 1; number <= 1025; number += 1) ledger = notePulled(ledger, `sha256:${number}`, `a:${number}`);
  t.is(ledger.images.size, 1024);
  t.false(ledger.images.has('sha256:1'));
  for (let number = 1; number <= 17; number += 1) ledger = notePulled(ledger, 'sha256:2', `b:${number}`);
  t.is(ledger.images.get('sha256:2')?.references.length, 16);
});

for (const broken of ['open', 'rename'] as const) {
  test(`a crash at ${broken} leaves the ledger from before`, async (t) => {
    const path = await folder(t);
    const before = acceptDocument(emptyLedger, desired(1, []));
    await ledgerInFolder(path).save(before);
    const files: Disk = {
      ...disk,
      [broken]: () => Promise.reject(new Error(`the process was killed at ${broken}`)),
    };
    const error = await t.throwsAsync(ledgerInFolder(path, files).save(filled()), { instanceOf: LedgerError });
    t.is(error?.code, 'LEDGER_UNWRITABLE');
    t.deepEqual(await ledgerInFolder(path).load(), before);
    await ledgerInFolder(path).save(filled());
    t.deepEqual(await ledgerInFolder(path).load(), filled(), 'and the next save is not disturbed by what was left');
    t.deepEqual(await readdir(path), ['ledger.json']);
  });
}

test('half a file beside the ledger, from a crash in the middle of writing, is not read', async (t) => {
  const path = await folder(t);
  await ledgerInFolder(path).save(filled());
  await writeFile(join(path, 'ledger.json.next'), '{"schemaVersion":1,"docu');
  t.deepEqual(await ledgerInFolder(path).load(), filled());
});

test('a damaged ledger is refused with advice, not taken for an empty one', async (t) => {
  const path = await folder(t);
  await ledgerInFolder(path).save(filled());
  await writeFile(join(path, 'ledger.json'), '{"schemaVersion":1}');
  const error = await t.throwsAsync(ledgerInFolder(path).load(), { instanceOf: LedgerError });
  t.is(error?.code, 'LEDGER_UNREADABLE');
  t.regex(error?.message ?? '', /move it away/);
});

test('changes that gather during a write go out together in the next', async (t) => {
  const saves: Ledger[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const keeper = new LedgerKeeper({
    load: () => Promise.resolve(emptyLedger),
    async save(ledger) {
      saves.push(ledger);
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
    },
  });
  const synced: number[] = [];
  const changeAndSync = async (version: number): Promise<void> => {
    keeper.change((ledger) => acceptDocument(ledger, desired(version, [])));
    await keeper.synced();
    synced.push(version);
  };
  const all = [1, 2, 3].map((version) => changeAndSync(version));
  gates[0]?.resolve();
  await all[0];
  t.deepEqual(synced, [1], 'the first write cannot carry what came after it began');
  gates[1]?.resolve();
  await Promise.all(all);
  t.deepEqual(
    saves.map((ledger) => ledger.document?.version),
    [1, 3],
  );
});
