import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { connectBus, type Bus } from '../infra/bus/connect.ts';
import { busGatewayVariables, busSecrets, type BusSecrets } from '../infra/start/busSecrets.ts';
import { hasErrno } from '../infra/start/errors.ts';
import { freeLoopbackPort } from '../infra/start/ports.ts';
import { temporaryFolder } from './support/folder.ts';
import { descendantsOf, startMuster, type RunningMuster } from './support/muster.ts';
import { startProgram, type Program } from './support/program.ts';
import { ScanClient } from './support/secretsScan/client.ts';
import { Finder, type Finding } from './support/secretsScan/finder.ts';
import { commandLines, filesOf, streamsOf, wireOf, type FileText, type Text } from './support/secretsScan/places.ts';
import { everySecret, IMAGE, PERSON } from './support/secretsScan/everySecret.ts';
import { until } from './support/until.ts';

/**
 * Secrets never enter an event, a log line, a URL or a metric. Here the product is started as an operator starts it, with a
 * second gateway, every secret that there is is made, used, mistaken and taken away, and then everything that can be read
 * is searched for them.
 *
 * A new secret: use it in `everySecret.ts`, and give it to the finder. Its file: a line in SECRET_FILES. A new account of the
 * bus: a line in ACCOUNTS. A new place: where `everySecretUsed` gathers them, with what proves that it was looked at in PROOFS.
 */

/** What opens the bus, by what it is called here, and its name in bus.json. */
const BUS_SECRET_NAMES = {
  'the password of muster-log': 'logPassword',
  'the password of muster-app': 'appPassword',
  'the password of muster-auth': 'authPassword',
  'the password of muster-sys': 'sysPassword',
  'the seed of the issuer': 'issuerSeed',
} as const;

/** Files of a data folder that are meant to hold secrets, and which. Only their owner may read them. */
const SECRET_FILES: Readonly<Record<string, readonly string[]>> = {
  'admin.key': ['the admin key'],
  'bus.json': Object.keys(BUS_SECRET_NAMES),
  'manager.token': ['the manager token of this machine'],
  'agent/credential': ["the agent's secret"],
  'secrets.key': ['the key of the secrets'],
};

/**
 * What of the bus is looked at: each account with streams, by a user who sees all of it, and under which name its password is in
 * bus.json. In AUTH the server asks gateways about passwords, and nothing stays there.
 */
const ACCOUNTS = [
  { account: 'LOG', user: 'muster-log', password: 'logPassword' },
  { account: 'APP', user: 'muster-app', password: 'appPassword' },
] as const;

/**
 * Harmless texts that are looked for like secrets, and where each must be found: the proof that the search looks there. The
 * name of an image and the account of a person go wherever events and views go.
 */
const PROOFS: Readonly<Record<string, { readonly text: string; readonly places: readonly string[] }>> = {
  'the name of an image': {
    text: IMAGE,
    places: [
      'LOG, stream MUSTER_EVENTS_fleet_1',
      'LOG, stream OBJ_MUSTER_SNAPSHOTS',
      'LOG, on the wire',
      'APP, stream MUSTER_FEED',
      'APP, on the wire',
      'GET /api/v1/events',
      'GET /api/v1/images',
      'live stream ?view=fleet',
      'live stream ?view=events&log=fleet',
      'data folder, file bus/jetstream/LOG/streams/MUSTER_EVENTS_fleet_1/msgs/1.blk',
    ],
  },
  'an account': { text: PERSON, places: ['output of npm start', 'output of the second gateway', 'GET /api/v1/people'] },
  'the name of an agent': {
    text: 'this-machine',
    places: [
      'APP, stream MUSTER_CHECKINS',
      'APP, stream KV_MUSTER_DESIRED',
      'GET /api/v1/agents',
      'data folder, file agent/ledger.json',
    ],
  },
  'the name of a log': { text: 'zone-default', places: ['LOG, stream KV_MUSTER_LEASES', 'GET /metrics'] },
  'the check of the secrets': { text: '$KV.MUSTER_SECRETS.=check', places: ['LOG, stream KV_MUSTER_SECRETS'] },
  'a word of the document': { text: 'Issues an access key', places: ['GET /openapi.json', 'GET /docs/json'] },
  'a word of the pages': { text: 'charset=', places: ['GET /', 'GET /docs/'] },
  'the program of a process': { text: 'gateway/main.ts', places: ['command lines'] },
};

/** What a run of everything left behind. */
interface Run {
  readonly finder: Finder;
  readonly texts: readonly Text[];
  readonly files: readonly FileText[];
}

test('no secret is anywhere but where it is meant to be, and the search looks everywhere', async (t) => {
  const { finder, texts, files } = await everySecretUsed(t);
  const secrets = finder.secrets.filter((name) => !(name in PROOFS));
  t.log(
    `${secrets.length} secrets, ${texts.length} texts of ${texts.reduce((sum, { bytes }) => sum + bytes.length, 0)} bytes`,
  );

  const findings = texts.flatMap(({ place, bytes, shows }) =>
    finder.find(place, bytes).filter(({ secret }) => shows?.includes(secret) !== true),
  );
  const isProof = ({ secret }: Finding) => secret in PROOFS;
  t.deepEqual(told(findings.filter((finding) => !isProof(finding))), []);

  const proven = new Set(findings.filter(isProof).map(({ place, secret }) => `${secret}: ${place}`));
  for (const [name, { places }] of Object.entries(PROOFS)) {
    for (const place of places) t.true(proven.has(`${name}: ${place}`), `${name} was not found in: ${place}`);
  }

  for (const [name, held] of Object.entries(SECRET_FILES)) {
    const file = files.find((each) => each.name === name);
    if (file === undefined) {
      t.fail(`there is no ${name}`);
      continue;
    }
    t.is(file.mode, 0o600, name);
    t.deepEqual(
      finder
        .find(name, file.bytes)
        .map(({ secret }) => secret)
        .toSorted(),
      [...held].toSorted(),
    );
  }
});

function told(findings: readonly Finding[]): readonly string[] {
  return [...new Set(findings.map(({ secret, place, form }) => `${secret}, ${form}: ${place}`))];
}

async function everySecretUsed(t: ExecutionContext): Promise<Run> {
  const finder = new Finder();
  for (const [name, { text }] of Object.entries(PROOFS)) finder.add(name, text);
  const engineHost = `unix://${join(await temporaryFolder(t), 'no-engine.sock')}`;
  const env = { MUSTER_ADMIN_KEY: undefined, MUSTER_LOG_LEVEL: 'trace' };
  const muster = await startMuster(t, { engineHost, env });
  const kept = await keptSecrets(muster, finder);
  t.is((await stat(muster.dataDir)).mode & 0o777, 0o700);
  const buses = await Promise.all(
    ACCOUNTS.map(async ({ account, user, password }) => ({
      account,
      bus: await enter(t, muster, user, kept.passwords[password]),
    })),
  );
  const wires = buses.map(({ account, bus }) => wireOf(bus, account));
  const secondData = await temporaryFolder(t);
  const second = await secondGateway(t, muster, kept, secondData);

  const lines: Text[] = [];
  const client = new ScanClient(async () => {
    const pids = [muster.program.pid, second.program.pid, ...(await descendantsOf(muster.program.pid))];
    lines.push(...(await commandLines(pids)));
  });
  await everySecret(t, {
    muster,
    busUrl: busUrl(muster),
    secondUrl: second.url,
    adminKey: kept.adminKey,
    managerToken: kept.managerToken,
    finder,
    client,
  });
  const streams = (await Promise.all(buses.map(({ account, bus }) => streamsOf(bus, account)))).flat();
  await client.endStreams();

  for (const program of [second.program, muster.program]) {
    program.kill('SIGTERM');
    t.is((await program.ended).code, 0);
  }
  const files = await filesOf(muster.dataDir, 'data folder');
  const others = await filesOf(secondData, 'data folder of the second gateway');
  const texts: Text[] = [...streams, ...wires.flat(), ...lines, ...others];
  return {
    finder,
    files,
    texts: [
      ...client.heard,
      ...texts,
      ...files.map(({ place, name, bytes }) => ({ place, bytes, shows: SECRET_FILES[name] ?? [] })),
      ...outputs('npm start', muster.program),
      ...outputs('the second gateway', second.program),
    ],
  };
}

/** The one line that shows the link is what the operator waits for. */
function outputs(name: string, program: Program): readonly Text[] {
  const lines = program.output().split('\n');
  const link = lines.filter((line) => /^\s*Sign in\s/.test(line));
  const rest = lines.filter((line) => !link.includes(line)).join('\n');
  return [
    {
      place: `output of ${name}, the line with the link`,
      bytes: Buffer.from(link.join('\n')),
      shows: ['the first link'],
    },
    { place: `output of ${name}`, bytes: Buffer.from(rest) },
  ];
}

interface Kept {
  readonly adminKey: string;
  readonly managerToken: string;
  readonly passwords: BusSecrets;
}

/** Empty while it is not there yet. */
async function readOr(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return '';
    throw error;
  }
}

/** What the first start made and wrote into its data folder. */
async function keptSecrets({ dataDir }: RunningMuster, finder: Finder): Promise<Kept> {
  const read = async (name: string) => (await readFile(join(dataDir, name), 'utf8')).trim();
  const adminKey = await until(
    'the admin key',
    () => read('admin.key'),
    (key) => key !== '',
  );
  finder.add('the admin key', adminKey);
  const secretsKey = await read('secrets.key');
  finder.add('the key of the secrets', secretsKey);
  finder.add('the key of the secrets', Buffer.from(secretsKey, 'base64url'));
  const passwords = busSecrets.parse(JSON.parse(await read('bus.json')));
  for (const [name, field] of Object.entries(BUS_SECRET_NAMES)) finder.add(name, passwords[field]);
  const managerToken = await read('manager.token');
  finder.add('the manager token of this machine', managerToken.slice(-43));
  const agentSecret = await until(
    "the agent's secret",
    () => readOr(join(dataDir, 'agent', 'credential')),
    (secret) => secret !== '',
  );
  finder.add("the agent's secret", agentSecret);
  finder.add("the agent's secret", Buffer.from(agentSecret, 'base64url'));
  return { adminKey, managerToken, passwords };
}

function busUrl({ program }: RunningMuster): string {
  return `nats://127.0.0.1:${/port (\d+)\)/.exec(program.output())?.[1]}`;
}

async function enter(t: ExecutionContext, muster: RunningMuster, user: string, password: string): Promise<Bus> {
  const signal = AbortSignal.timeout(5000);
  const bus = await connectBus({ url: busUrl(muster), user, password, name: 'search', signal });
  t.teardown(() => bus.close());
  return bus;
}

async function secondGateway(t: ExecutionContext, muster: RunningMuster, kept: Kept, dataDir: string) {
  const http = `127.0.0.1:${await freeLoopbackPort()}`;
  const program = startProgram(t, process.execPath, ['gateway/main.ts'], {
    cwd: join(import.meta.dirname, '..'),
    env: {
      MUSTER_DATA: dataDir,
      MUSTER_HTTP: http,
      MUSTER_NATS_URL: busUrl(muster),
      ...busGatewayVariables(kept.passwords),
      MUSTER_SECRETS_KEY: join(muster.dataDir, 'secrets.key'),
      MUSTER_ADMIN_KEY: kept.adminKey,
      MUSTER_LOG_LEVEL: 'trace',
    },
  });
  await program.says(/serving at/);
  return { program, url: `http://${http}` };
}
