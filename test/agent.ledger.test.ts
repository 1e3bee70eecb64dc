import * as disk from 'node:fs/promises';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { acceptDocument, emptyLedger, noteFailed, noteStarted, noteStarting, type Ledger } from '../agent/ledger.ts';
import { ledgerInFolder, LedgerError, type Disk } from '../agent/ledgerFile.ts';
import { LedgerKeeper } from '../agent/ledgerKeeper.ts';
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
  return noteFailed(ledger, document, 's2', { code: 'NETWORK', detail: 'no route' });
}

test('what was saved is loaded again, whole', async (t) => {
  const path = await folder(t);
  t.deepEqual(await ledgerInFolder(path).load(), emptyLedger);
  await ledgerInFolder(path).save(filled());
  t.deepEqual(await ledgerInFolder(path).load(), filled());
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
