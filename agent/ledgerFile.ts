import * as disk from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { desiredDocument } from '../domain/desired.ts';
import { pruneRecord } from '../domain/pruning/record.ts';
import * as s from '../domain/schemas.ts';
import { emptyLedger, entryKey, type Ledger } from './ledger.ts';

/** Keeps the ledger over restarts. `save` resolves when it is synced to disk. */
export interface LedgerStore {
  load(): Promise<Ledger>;
  save(ledger: Ledger): Promise<void>;
}

export class LedgerError extends Error {
  override readonly name = 'LedgerError';
  readonly code: 'LEDGER_UNREADABLE' | 'LEDGER_UNWRITABLE';
  constructor(code: LedgerError['code'], message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

const ledgerFile = z.object({
  schemaVersion: z.literal(1),
  document: desiredDocument.nullable(),
  accepted: z.array(z.object({ logId: s.id, version: s.version })),
  applied: z.object({ logId: s.id, version: s.version }).nullable(),
  entries: z.array(
    z.object({
      sessionId: s.id,
      logId: s.id,
      placedVersion: s.version,
      withdrawnVersion: s.version.nullable(),
      state: z.enum(['starting', 'started', 'failed']),
      failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
    }),
  ),
  // The agents of earlier releases removed nothing.
  images: z
    .array(
      z.object({
        imageId: z.string(),
        references: z.array(z.string()),
        metSince: z.object({ normal: z.number().nullable(), aggressive: z.number().nullable() }),
        skipped: z.string().nullable(),
      }),
    )
    .default([]),
  prunes: z
    .object({
      series: s.id.nullable(),
      next: z.int().min(1),
      underWay: z.object({ record: pruneRecord, tags: z.array(z.string()), whole: z.boolean() }).nullable(),
      records: z.array(pruneRecord),
    })
    .default({ series: null, next: 1, underWay: null, records: [] }),
});

/** The few file operations that a crash-safe write consists of, so that a test can fail each of them. */
export type Disk = Pick<typeof disk, 'mkdir' | 'open' | 'readFile' | 'rename'>;

/**
 * `ledger.json` in `folder`: written beside it, synced, renamed over it, and the folder synced, so that after a crash at
 * any point either the old or the new ledger is there, whole.
 */
export function ledgerInFolder(folder: string, files: Disk = disk): LedgerStore {
  const path = join(folder, 'ledger.json');
  return {
    async load() {
      const text = await readIfThere(files, path);
      if (text === null) return emptyLedger;
      try {
        return decode(ledgerFile.parse(JSON.parse(text)));
      } catch (error) {
        throw new LedgerError(
          'LEDGER_UNREADABLE',
          `${path} is damaged, and without it a session could be started twice; move it away to begin with an empty one`,
          error,
        );
      }
    },
    async save(ledger) {
      try {
        await files.mkdir(folder, { recursive: true, mode: 0o700 });
        await writeSynced(files, path, JSON.stringify(encode(ledger)));
      } catch (error) {
        throw new LedgerError(
          'LEDGER_UNWRITABLE',
          `${path} could not be written; free space or mend its rights`,
          error,
        );
      }
    },
  };
}

async function readIfThere(files: Disk, path: string): Promise<string | null> {
  try {
    return await files.readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new LedgerError('LEDGER_UNREADABLE', `${path} could not be read; mend its rights`, error);
  }
}

async function writeSynced(files: Disk, path: string, text: string): Promise<void> {
  const beside = `${path}.next`;
  await using file = await files.open(beside, 'w', 0o600);
  await file.writeFile(text);
  await file.datasync();
  await files.rename(beside, path);
  await using folder = await files.open(dirname(path), 'r');
  await folder.sync();
}

function encode(ledger: Ledger): z.infer<typeof ledgerFile> {
  return {
    schemaVersion: 1,
    document: ledger.document,
    accepted: [...ledger.accepted].map(([logId, version]) => ({ logId, version })),
    applied: ledger.applied,
    entries: [...ledger.entries.values()],
    images: [...ledger.images.values()].map(({ imageId, references, metSince, skipped }) => ({
      imageId,
      references: [...references],
      metSince,
      skipped,
    })),
    prunes: encodePrunes(ledger.prunes),
  };
}

function encodePrunes({ underWay, records, ...count }: Ledger['prunes']): z.infer<typeof ledgerFile>['prunes'] {
  return {
    ...count,
    underWay: underWay === null ? null : { ...underWay, tags: [...underWay.tags] },
    records: [...records],
  };
}

function decode(file: z.infer<typeof ledgerFile>): Ledger {
  return {
    document: file.document,
    accepted: new Map(file.accepted.map(({ logId, version }) => [logId, version])),
    applied: file.applied,
    entries: new Map(file.entries.map((entry) => [entryKey(entry.logId, entry.sessionId), entry])),
    images: new Map(file.images.map((image) => [image.imageId, image])),
    prunes: file.prunes,
  };
}
