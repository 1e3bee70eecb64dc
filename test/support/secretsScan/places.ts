import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { jetStreamApi } from '../../../infra/bus/api.ts';
import type { Bus } from '../../../infra/bus/connect.ts';

/** Bytes from somewhere, and where that is. */
export interface Text {
  readonly place: string;
  readonly bytes: Uint8Array;
  /** Secrets that it is meant to show, by name; none unless said. */
  readonly shows?: readonly string[];
}

interface StreamRow {
  readonly config: { readonly name: string };
  readonly state: { readonly first_seq: number; readonly last_seq: number };
}

interface RawMessage {
  readonly message: { readonly subject: string; readonly hdrs?: string; readonly data?: string };
}

/** Every message of every stream of an account, key-value and object stores among them, and what the server says of each stream. */
export async function streamsOf(bus: Bus, account: string): Promise<readonly Text[]> {
  const { streams } = (await jetStreamApi(bus, 'STREAM.LIST')) as unknown as { readonly streams: readonly StreamRow[] };
  const texts: Text[] = [];
  for (const stream of streams) {
    const { name } = stream.config;
    const place = `${account}, stream ${name}`;
    texts.push({ place, bytes: Buffer.from(JSON.stringify(stream)) });
    texts.push({ place, bytes: Buffer.from(JSON.stringify(await jetStreamApi(bus, `CONSUMER.LIST.${name}`))) });
    for (let seq = stream.state.first_seq; seq <= stream.state.last_seq; seq += 1) {
      texts.push(...(await messageOf(bus, name, seq)).map((bytes) => ({ place, bytes })));
    }
  }
  return texts;
}

/** Subject, headers and data; nothing when it has been replaced or removed. */
async function messageOf(bus: Bus, stream: string, seq: number): Promise<readonly Uint8Array[]> {
  const answer = await bus.connection.request(`$JS.API.STREAM.MSG.GET.${stream}`, JSON.stringify({ seq }));
  const { message } = answer.json<Partial<RawMessage>>();
  if (message === undefined) return [];
  const { subject, hdrs = '', data = '' } = message;
  return [Buffer.from(subject), Buffer.from(hdrs, 'base64'), Buffer.from(data, 'base64')];
}

/** All that passes in an account from now on, the API of its streams excepted, which only repeats what they hold. */
export function wireOf(bus: Bus, account: string): readonly Text[] {
  const texts: Text[] = [];
  bus.connection.subscribe('>', {
    callback: (_, { subject, headers, data }) => {
      if (subject.startsWith('$JS.')) return;
      const head = `${subject}\n${headers === undefined ? '' : JSON.stringify([...headers])}\n`;
      texts.push({ place: `${account}, on the wire`, bytes: Buffer.concat([Buffer.from(head), data]) });
    },
  });
  return texts;
}

/** The words with which processes were started, which everybody on the machine may read. */
export async function commandLines(pids: readonly number[]): Promise<readonly Text[]> {
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`).catch(goneMeanwhile)));
  return lines.map((bytes) => ({ place: 'command lines', bytes }));
}

export interface FileText extends Text {
  /** Relative to the folder. */
  readonly name: string;
  /** Such as 0o600. */
  readonly mode: number;
}

export async function filesOf(folder: string, place: string): Promise<readonly FileText[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts: FileText[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1);
    texts.push({
      place: `${place}, file ${name}`,
      name,
      mode: (await stat(path)).mode & 0o777,
      bytes: await readFile(path),
    });
  }
  return texts;
}

function goneMeanwhile(error: unknown): Buffer {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
    return Buffer.alloc(0);
  throw error;
}
