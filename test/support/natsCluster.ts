import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headers } from 'nats';
import { jetStreamApi, objectIn, publishAcked } from '../../infra/bus/api.ts';
import { connectBus, type Bus } from '../../infra/bus/connect.ts';
import { BusError, ServerCode, hasServerCode } from '../../infra/bus/errors.ts';
import { freeLoopbackPort } from '../../infra/start/ports.ts';
import { LOG_PASSWORD, startNats, type TestNats } from './nats.ts';
import { until } from './until.ts';

/**
 * Three real nats-servers that are one JetStream. Each runs with the repository's nats.conf, to which the routes to the
 * others are added, and accounts like LOG: one for each test, so that tests share the servers and see nothing of each
 * other.
 */
export interface TestCluster {
  /** All three servers, with commas between them. They have the accounts LOG and APP of the repository's nats.conf too. */
  readonly url: string;
  /** The user of an account that nobody has used yet. */
  newUser(): string;
  /** Connects with all three servers listed; the connection is closed with the cluster. */
  connect(user: string): Promise<Bus>;
  /** The server that leads a stream of the bus's account; waits until there is one. */
  leaderOf(bus: Bus, stream: string): Promise<TestNats>;
  /** SIGKILL, as a crash; resolves when the process is gone. */
  kill9(server: TestNats): Promise<void>;
  /** Starts it again on the same ports and store. */
  restart(server: TestNats): Promise<void>;
  /** Ends the connections and the servers and removes their stores. */
  stop(): Promise<void>;
}

const SIZE = 3;
const ACCOUNTS = 48;
const START_LIMIT_MS = 30_000;
const REPOSITORY_CONF = join(import.meta.dirname, '../../nats.conf');

export async function startNatsCluster(): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-cluster-'));
  const servers: TestNats[] = [];
  const buses: Bus[] = [];
  let users = 0;

  const cluster: TestCluster = {
    get url() {
      return servers.map((server) => server.url).join(',');
    },
    newUser() {
      users += 1;
      if (users >= ACCOUNTS) throw new RangeError(`the cluster has ${ACCOUNTS} accounts; raise ACCOUNTS`);
      return userOf(users);
    },
    async connect(user) {
      const signal = AbortSignal.timeout(START_LIMIT_MS);
      const bus = await connectBus({ url: cluster.url, user, password: LOG_PASSWORD, name: `test ${user}`, signal });
      buses.push(bus);
      return bus;
    },
    async leaderOf(bus, stream) {
      const name = await until(`a leader of ${stream}`, () => leaderName(bus, stream), isServerName);
      const server = servers[Number(name.slice(SERVER_NAME.length))];
      if (server === undefined) throw new Error(`${stream} is led by ${name}, which is no server of this cluster`);
      return server;
    },
    kill9: (server) => server.kill9(),
    restart: (server) => server.restart(),
    async stop() {
      await Promise.all(buses.map(async (bus) => await bus.close()));
      await Promise.all(servers.map(async (server) => await server.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };

  try {
    const started = await Promise.allSettled((await configurations(folder)).map((conf) => startNats({ conf })));
    servers.push(...started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
    for (const one of started) if (one.status === 'rejected') throw one.reason;
    await untilPlacing(await cluster.connect(userOf(0)));
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** Resolves once the leader of a log's subject answers on this connection. Asks for what is always refused. */
export async function untilWritable(bus: Bus, subject: string): Promise<void> {
  async function ask(): Promise<string> {
    const impossible = headers();
    impossible.set('Nats-Expected-Last-Subject-Sequence', String(Number.MAX_SAFE_INTEGER));
    try {
      return `was written as ${await publishAcked(bus, subject, Buffer.from('{}'), impossible)}`;
    } catch (error) {
      return hasServerCode(error, ServerCode.wrongLastSequence) ? 'writable' : busTrouble(error);
    }
  }
  await until(`writing to ${subject}`, ask, (answer) => answer === 'writable');
}

/** Resolves once the servers have one that leads them, which alone knows which streams there are. */
export async function untilLed(bus: Bus): Promise<void> {
  async function ask(): Promise<string> {
    try {
      await jetStreamApi(bus, 'STREAM.NAMES');
      return 'led';
    } catch (error) {
      return busTrouble(error);
    }
  }
  await until('a leader of the servers', ask, (answer) => answer === 'led');
}

/** Resolves once every copy of a stream has all of it. */
export async function untilCurrent(bus: Bus, stream: string): Promise<void> {
  await until(
    `three current copies of ${stream}`,
    () => othersCurrent(bus, stream),
    (current) => current === SIZE - 1,
  );
}

const SERVER_NAME = 'muster-';

function userOf(account: number): string {
  return `muster-log-${account}`;
}

function isServerName(name: string): boolean {
  return name.startsWith(SERVER_NAME);
}

/** Writes one file per server and returns their paths. */
async function configurations(folder: string): Promise<readonly string[]> {
  const ports = new Set<number>();
  while (ports.size < SIZE) ports.add(await freeLoopbackPort());
  const routes = [...ports].map((port) => `"nats://127.0.0.1:${port}"`).join(', ');
  const accounts = Array.from({ length: ACCOUNTS }, (_, account) => {
    const user = `{ user: "${userOf(account)}", password: $MUSTER_NATS_LOG_PASSWORD }`;
    return `LOG_${account} { jetstream: enabled, users: [${user}] }`;
  });
  const repositoryConf = await readFile(REPOSITORY_CONF, 'utf8');
  const write = async (port: number, index: number): Promise<string> => {
    const path = join(folder, `${index}.conf`);
    const named = changed(repositoryConf, 'server_name: muster\n', `server_name: ${SERVER_NAME}${index}\n`);
    const users = accounts.map((_, account) => `"${userOf(account)}"`).join(', ');
    const entering = changed(named, 'auth_users: [', `auth_users: [${users}, `);
    const conf = changed(entering, 'accounts {\n', `accounts {\n${accounts.join('\n')}\n`);
    const block = `cluster { name: muster, host: "127.0.0.1", port: ${port}, routes: [${routes}] }`;
    await writeFile(path, `${conf}\n${block}\n`);
    return path;
  };
  return await Promise.all([...ports].map(write));
}

function changed(conf: string, from: string, to: string): string {
  if (!conf.includes(from)) throw new Error(`nats.conf has no ${JSON.stringify(from)}`);
  return conf.replace(from, to);
}

/** Resolves once the three servers know each other and place streams with three copies. */
async function untilPlacing(bus: Bus): Promise<void> {
  const config = { name: 'PLACED', subjects: ['placed'], storage: 'file', num_replicas: SIZE };
  const place = async (): Promise<string> => {
    try {
      await jetStreamApi(bus, 'STREAM.CREATE.PLACED', config);
      return 'placed';
    } catch (error) {
      return busTrouble(error);
    }
  };
  await until('placing streams on three servers', place, (answer) => answer === 'placed');
  await untilCurrent(bus, config.name);
}

async function leaderName(bus: Bus, stream: string): Promise<string> {
  try {
    return String(objectIn(await jetStreamApi(bus, `STREAM.INFO.${stream}`), 'cluster')['leader']);
  } catch (error) {
    return busTrouble(error);
  }
}

/** How many of the leader's followers are online and have everything; -1 while nobody answers. */
async function othersCurrent(bus: Bus, stream: string): Promise<number> {
  try {
    const { replicas } = objectIn(await jetStreamApi(bus, `STREAM.INFO.${stream}`), 'cluster') as Copies;
    return (replicas ?? []).filter(({ current, offline }) => current === true && offline !== true).length;
  } catch (error) {
    busTrouble(error);
    return -1;
  }
}

interface Copies {
  readonly replicas?: readonly { readonly current?: boolean; readonly offline?: boolean }[];
}

/** While a leader is chosen the bus has many ways of saying so; anything else is thrown. */
function busTrouble(error: unknown): string {
  if (error instanceof BusError) return error.message;
  throw error;
}
