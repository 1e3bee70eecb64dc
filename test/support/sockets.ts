import { readFile, readdir, readlink } from 'node:fs/promises';

/** One socket of a process, as the kernel knows it. Addresses are `127.0.0.1:8080` or the hexadecimal ones of IPv6. */
export interface OwnSocket {
  readonly kind: 'tcp' | 'tcp6' | 'udp' | 'udp6';
  readonly local: string;
  readonly remote: string;
  readonly isListening: boolean;
}

const LISTENING = '0A';

/** All internet sockets that a process has open now. */
export async function socketsOf(pid: number): Promise<readonly OwnSocket[]> {
  const inodes = await inodesOf(pid);
  const tables = await Promise.all(
    (['tcp', 'tcp6', 'udp', 'udp6'] as const).map(async (kind) => {
      const lines = (await readFile(`/proc/${pid}/net/${kind}`, 'utf8')).trim().split('\n').slice(1);
      return lines.flatMap((line): OwnSocket[] => {
        const [, local = '', remote = '', state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
        if (!inodes.has(inode)) return [];
        return [{ kind, local: readable(local), remote: readable(remote), isListening: state === LISTENING }];
      });
    }),
  );
  return tables.flat();
}

async function inodesOf(pid: number): Promise<ReadonlySet<string>> {
  const folder = `/proc/${pid}/fd`;
  const links = await Promise.all(
    (await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(closedMeanwhile)),
  );
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}

function closedMeanwhile(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
  throw error;
}

/** The kernel writes the four bytes of an address from the last to the first. */
function readable(text: string): string {
  const [address = '', port = ''] = text.split(':');
  const bytes = address.match(/../g) ?? [];
  const shown =
    bytes.length === 4
      ? bytes
          .toReversed()
          .map((byte) => parseInt(byte, 16))
          .join('.')
      : address;
  return `${shown}:${parseInt(port, 16)}`;
}
