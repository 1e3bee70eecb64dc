import { open, readFile, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Levers } from './levers.ts';
import { decodeEntry, encodeEntry, type Entry } from './journalCodec.ts';

/** What the disk does to the writer at this moment. */
export type Disk = () => Pick<Levers, 'syncDelayMs' | 'isFull'>;

interface Waiting {
  readonly bytes: Buffer;
  readonly onSynced: () => void;
}

const MAX_BATCH_BYTES = 16 * 1_024 * 1_024;

/** One append-only file. Whatever waits while the disk is busy goes into one write and one sync. */
export class Journal {
  readonly #file: FileHandle;
  readonly #disk: Disk;
  readonly #onFailure: (error: unknown) => void;
  #waiting: Waiting[] = [];
  #end: number;
  #isWriting = false;
  #syncs = 0;

  private constructor(file: FileHandle, end: number, disk: Disk, onFailure: (error: unknown) => void) {
    this.#file = file;
    this.#end = end;
    this.#disk = disk;
    this.#onFailure = onFailure;
  }

  /** Reads what is there, cuts off what a crash left unfinished at the end, and goes on behind it. */
  static async open(
    path: string,
    disk: Disk,
    onEntry: (entry: Entry, position: number) => void,
    onFailure: (error: unknown) => void,
  ): Promise<Journal> {
    const file = await open(path, 'a+');
    const content = await readFile(file);
    let end = 0;
    for (let found = decodeEntry(content, end); found !== null; found = decodeEntry(content, end)) {
      onEntry(found.entry, end);
      end = found.end;
    }
    if (end < content.length) await file.truncate(end);
    await file.sync();
    await syncFolder(dirname(path));
    return new Journal(file, end, disk, onFailure);
  }

  get syncs(): number {
    return this.#syncs;
  }

  /** Puts the entry into the file and calls `onSynced` once it is on the disk. Returns its place. */
  append(entry: Entry, onSynced: () => void): number {
    const bytes = encodeEntry(entry);
    const position = this.#end;
    this.#end += bytes.length;
    this.#waiting.push({ bytes, onSynced });
    if (!this.#isWriting) {
      this.#isWriting = true;
      // Only when this turn is over, so that requests which arrived together share one sync.
      setImmediate(() => void this.#drain().catch(this.#onFailure));
    }
    return position;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      await this.#write(Buffer.concat(batch.map(({ bytes }) => bytes)));
      const { syncDelayMs } = this.#disk();
      if (syncDelayMs > 0) await pause(syncDelayMs);
      await this.#file.datasync();
      this.#syncs += 1;
      for (const { onSynced } of batch) onSynced();
    }
    this.#isWriting = false;
  }

  #takeBatch(): readonly Waiting[] {
    let bytes = 0;
    const tooMany = this.#waiting.findIndex((one) => (bytes += one.bytes.length) > MAX_BATCH_BYTES);
    return this.#waiting.splice(0, tooMany === -1 ? this.#waiting.length : Math.max(tooMany, 1));
  }

  async #write(bytes: Buffer): Promise<void> {
    const room = this.#disk().isFull ? Math.floor(bytes.length / 2) : bytes.length;
    for (let written = 0; written < room;) {
      written += (await this.#file.write(bytes, written, room - written)).bytesWritten;
    }
    if (room < bytes.length) {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
