import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { CheckIn } from '../../domain/checkIn.ts';
import { followCheckIns } from '../../infra/bus/checkIns.ts';
import { answerAgents } from '../../infra/bus/agentAsk.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import { readDesired } from '../../infra/bus/desired.ts';
import { ensureCheckIns, ensureDesired } from '../../infra/bus/streams.ts';
import { partsOfAgentPassword } from '../../infra/agentIdentity.ts';
import { realClock } from '../../infra/clock.ts';
import { signerOf } from '../../infra/nkeys/nkey.ts';
import type { Refusal, Shown } from '../../gateway/callout/admission.ts';
import { answerCallouts } from '../../gateway/callout/callout.ts';
import type { Entry } from '../../gateway/callout/entry.ts';
import { BUS_SECRETS, startNats, type TestNats } from './nats.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
/** What admits agents to such a bus. */
export const WORLD_TOKEN = `mt_${'a'.repeat(12)}_${'b'.repeat(43)}`;
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
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const bus = await nats.connect('app');
  await ensureCheckIns(bus, 1);
  await ensureDesired(bus, 1);

  await writeFile(join(folder, 'manager.token'), `${WORLD_TOKEN}\n`, { mode: 0o600 });

  const heard: CheckIn[] = [];
  const listeners = new Set<(checkIn: CheckIn) => void>();
  const end = new AbortController();
  await admitAgents(t, nats, end.signal);
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

/** As a gateway that knows every agent, and approved it: there is none in such a world. */
async function admitAgents(t: ExecutionContext, nats: TestNats, signal: AbortSignal): Promise<void> {
  await letAgentsIn(t, nats, signal);
  await answerAsGateway(t, nats, signal);
}

/** Lets in whoever shows the token of such worlds, with the standing that agents have at that moment. */
export async function letAgentsIn(
  t: ExecutionContext,
  nats: TestNats,
  signal: AbortSignal,
  standing: () => 'pending' | 'approved' | 'revoked' = () => 'approved',
): Promise<void> {
  const ports = {
    bus: await nats.connect('auth'),
    signer: signerOf(BUS_SECRETS.issuerSeed),
    admission: {
      async admit({ user: agentId, password }: Shown): Promise<Entry | Refusal> {
        if (partsOfAgentPassword(password)?.token !== WORLD_TOKEN) return 'MANAGER_TOKEN_WRONG';
        const now = standing();
        return now === 'revoked'
          ? 'AGENT_REVOKED'
          : { kind: 'agent', agentId, standing: now, tokenId: 'world', zones: ['default'] };
      },
    },
    clock: realClock,
    random: Math.random,
    count: () => undefined,
    onTrouble: failing(t),
  };
  answerCallouts(ports, signal);
  await ports.bus.connection.flush();
}

/** Answers what agents ask gateways. */
export async function answerAsGateway(t: ExecutionContext, nats: TestNats, signal: AbortSignal): Promise<void> {
  const bus = await nats.connect('app');
  const now = (): string => new Date().toISOString();
  const read = (agentId: string) => readDesired(bus, agentId);
  answerAgents({ bus, read, definitions: () => [], mayAsk: () => true, now, onTrouble: failing(t) }, signal);
  await bus.connection.flush();
}

function failing(t: ExecutionContext): (sentence: string, cause: unknown) => void {
  return (sentence, cause) => t.fail(`${sentence}: ${String(cause)}`);
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
