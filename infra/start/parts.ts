import { fork, type ChildProcess } from 'node:child_process';
import { StartError, StartFailure } from './errors.ts';
import { keep, type Part } from './keeper.ts';

export type Entry = { readonly path: string; readonly args: readonly string[] };

/** What a child sends over its IPC channel once it serves. */
export type Ready = { readonly url: string | undefined; readonly signInUrl: string | undefined };

export type PartStart = {
  readonly name: string;
  readonly entry: Entry;
  readonly cwd: string;
  /** The whole configuration. Secrets travel here, never among the arguments, which every user can read. */
  readonly environment: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
};

/**
 * Starts a program of this repository and keeps it running. It must send `{ type: 'ready' }` once it serves, or
 * `{ type: 'refused', why }` when starting it again is in vain, and end when its IPC channel closes: then its supervisor is
 * gone.
 */
export function startPart(options: PartStart): Part<Ready> {
  return keep({
    name: options.name,
    say: options.say,
    messages: 'above',
    spawn: () =>
      fork(options.entry.path, [...options.entry.args], {
        cwd: options.cwd,
        env: { ...withoutOwnVariables(process.env), ...options.environment },
        // A process group of its own: Ctrl-C in a terminal reaches the supervisor alone, which stops in order.
        detached: true,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    whenReady: untilReady,
  });
}

function untilReady(child: ChildProcess, signal: AbortSignal): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      const why = parseRefusal(message);
      if (why !== undefined) reject(new StartError(StartFailure.partRefused, why));
      const ready = parseReady(message);
      if (ready === undefined) return;
      child.removeListener('message', onMessage);
      resolve(ready);
    };
    child.on('message', onMessage);
    signal.addEventListener('abort', () => child.removeListener('message', onMessage), {
      once: true,
    });
  });
}

export function parseReady(message: unknown): Ready | undefined {
  if (typeof message !== 'object' || message === null || !('type' in message) || message.type !== 'ready') {
    return undefined;
  }
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return {
    url: text('url' in message ? message.url : undefined),
    signInUrl: text('signInUrl' in message ? message.signInUrl : undefined),
  };
}

function parseRefusal(message: unknown): string | undefined {
  const isRefusal =
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    message.type === 'refused' &&
    'why' in message;
  return isRefusal ? String(message.why) : undefined;
}

/** What the operator set is already in the resolved configuration; an unset variable must stay unset. */
function withoutOwnVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('MUSTER_')));
}
