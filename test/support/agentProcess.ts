import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { CheckIn } from '../../domain/checkIn.ts';
import { followCheckIns } from '../../infra/bus/checkIns.ts';
import { connectBus, type Bus } from '../../infra/bus/connect.ts';
import { ensureCheckIns, ensureDesired } from '../../infra/bus/streams.ts';
import { startNats, type TestNats } from './nats.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
export const WORLD_PASSWORD = 'a-password-for-agent-processes';
const LIMIT_MS = 30_000;

/** A bus with its streams, and everything that is said on it by agents. */
export interface AgentWorld {
  readonly bus: Bus;
  readonly nats: TestNats;
  readonly heard: readonly CheckIn[];
  /** The first check-in from now on, or among the last ones, that is as wanted. Fails after 30 s. */
  hear(what: string, wanted: (checkIn: CheckIn) => boolean): Promise<CheckIn>;
  /** Starts a program of the agent as the supervisor does and waits until it is ready. */
  launch(
    entry: string,
    args?: readonly string[],
    environment?: Readonly<Record<string, string>>,
  ): Promise<ChildProcess>;
}

export async function agentWorld(t: ExecutionContext, folder: string): Promise<AgentWorld> {
  const conf = join(folder, 'nats.conf');
  const repositoryConf = await readFile(join(REPOSITORY, 'nats.conf'), 'utf8');
  await writeFile(conf, repositoryConf.replace('$MUSTER_NATS_APP_PASSWORD', `"${WORLD_PASSWORD}"`));
  const nats = await startNats({ conf });
  t.teardown(() => nats.stop());
  const signal = AbortSignal.timeout(LIMIT_MS);
  const bus = await connectBus({ url: nats.url, user: 'muster-app', password: WORLD_PASSWORD, name: 'test', signal });
  t.teardown(() => bus.close());
  await ensureCheckIns(bus, 1);
  await ensureDesired(bus, 1);

  const heard: CheckIn[] = [];
  const listeners = new Set<(checkIn: CheckIn) => void>();
  const end = new AbortController();
  const following = followCheckIns(bus, {
    onCheckIn({ checkIn }) {
      heard.push(checkIn);
      for (const listener of listeners) listener(checkIn);
    },
    onMalformed: ({ problem }) => t.fail(`a malformed check-in: ${problem}`),
    signal: end.signal,
  });
  t.teardown(async () => {
    end.abort();
    await following;
  });

  return {
    bus,
    nats,
    heard,
    hear(what, wanted) {
      const last = heard.at(-1);
      if (last !== undefined && wanted(last)) return Promise.resolve(last);
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          listeners.delete(listen);
          reject(new Error(`not heard within ${LIMIT_MS} ms: ${what}. Last: ${JSON.stringify(heard.at(-1))}`));
        }, LIMIT_MS);
        const listen = (checkIn: CheckIn) => {
          if (!wanted(checkIn)) return;
          clearTimeout(late);
          listeners.delete(listen);
          resolve(checkIn);
        };
        listeners.add(listen);
      });
    },
    async launch(entry, args = [], environment = {}) {
      const child = fork(join(REPOSITORY, entry), [...args], {
        env: {
          ...withoutMuster(process.env),
          MUSTER_NATS_URL: nats.url,
          MUSTER_NATS_APP_PASSWORD: WORLD_PASSWORD,
          MUSTER_NATS_LOG_PASSWORD: WORLD_PASSWORD,
          MUSTER_DATA: folder,
          MUSTER_AGENT_ID: 'agent-1',
          MUSTER_LOG_LEVEL: 'warn',
          ...environment,
        },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      t.teardown(() => endOf(child, 'SIGKILL'));
      await once(child, 'message', { signal: AbortSignal.timeout(LIMIT_MS) });
      return child;
    },
  };
}

export async function endOf(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
  return child.exitCode;
}

function withoutMuster(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('MUSTER_')));
}
