import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import {
  gatewaySecretsEnvironment,
  gatewaySecretsOf,
  gatewaySecretsShape,
  SECRETS_OF_GATEWAYS,
  type GatewaySecretsConfig,
} from './configBus.ts';
import { CONFIG_FILE_VARIABLE, withConfigFile, type ConfigProblem, type Environment } from './configFile.ts';
import {
  busShape,
  httpShape,
  transportEnvironment,
  transportOf,
  transportProblems,
  type TransportConfig,
} from './configTransport.ts';
import { connectionProblem } from './eventStore/connectionString.ts';
import { nearestOf } from './nearest.ts';
import { cacheFolder } from './tools/cache.ts';

/**
 * Every setting that is read from the environment, and from the file that MUSTER_CONFIG names. The description and the shown default make the table of
 * `npx muster config` and of the README; a default that depends on the machine is a sentence there.
 */
const shape = {
  [CONFIG_FILE_VARIABLE]: z
    .string()
    .optional()
    .meta({ shown: 'none' })
    .describe('File with lines `NAME=value` of this table, mode 0600; what the environment sets wins over it'),
  MUSTER_DATA: z
    .string()
    .default('./.muster')
    .transform((path) => resolve(path))
    .describe('Folder for everything that must survive: event logs, secrets, credentials'),
  MUSTER_SECRETS_KEY: z
    .string()
    .optional()
    .transform((path) => (path === undefined ? undefined : resolve(path)))
    .meta({ shown: '`secrets.key` in `MUSTER_DATA`, made at first start' })
    .describe('File with the key of the secrets on the bus, mode 0600; the same for every gateway of a bus'),
  ...httpShape,
  MUSTER_NATS_URL: z
    .string()
    .regex(
      /^(nats|tls):\/\/[^\s,/@]+(,(nats|tls):\/\/[^\s,/@]+)*$/,
      'must be like nats://host:4222, several with commas, without a user or password in it',
    )
    .optional()
    .meta({ shown: 'none: a nats-server is started', secret: true })
    .describe('Bus that already runs; a gateway then needs its four passwords and the seed, too'),
  ...gatewaySecretsShape,
  MUSTER_NATS_PORT: integer(1, 65_535)
    .optional()
    .meta({ shown: 'a free port' })
    .describe('Port of the nats-server that is started'),
  ...busShape,
  MUSTER_REPLICAS: z
    .enum(['1', '3'])
    .default('1')
    .transform((value) => (value === '3' ? 3 : 1))
    .describe('Copies of every log and stream: 3 on a cluster of three nats-servers or more, so that one may fail'),
  MUSTER_EVENT_LOG: z
    .string()
    .default('nats')
    .transform(parseEventLog)
    .meta({ secret: true })
    .describe(
      'Where the event logs are kept: `nats`, which is the bus, or an EventStoreDB, by its connection string (`esdb://user:password@host:2113`)',
    ),
  DOCKER_HOST: z
    .string()
    .regex(
      /^(unix:\/\/\/|tcp:\/\/|http:\/\/|https:\/\/)\S+$/,
      'must be like unix:///var/run/docker.sock or tcp://host:2375',
    )
    .default('unix:///var/run/docker.sock')
    .describe('Container engine of the agent on this machine'),
  MUSTER_ADMIN_KEY: z
    .string()
    .min(16, 'must have at least 16 characters')
    .optional()
    .meta({ shown: '`admin.key` in `MUSTER_DATA`, made at first start', secret: true })
    .describe("Key of this machine's administrator; programs have keys of their own (`npx muster keys issue`)"),
  MUSTER_AGENT_ID: id()
    .default(() => agentIdFrom(hostname()))
    .meta({ shown: 'the host name' })
    .describe('Id of the agent on this machine'),
  MUSTER_MANAGER_TOKEN_FILE: z
    .string()
    .transform((path) => resolve(path))
    .optional()
    .meta({ shown: '`manager.token` in `MUSTER_DATA`' })
    .describe('File with the manager token that admits the agent on this machine, mode 0600; read at every connection'),
  MUSTER_ZONE: id().default('default').describe('Zone that the agent on this machine asks to join'),
  MUSTER_SESSION_ADDRESS: z
    .string()
    .refine((address) => isIP(address) !== 0, 'must be an IP address')
    .default('127.0.0.1')
    .describe("Address on which the sessions' ports are published"),
  MUSTER_ALLOWED_REGISTRIES: z
    .string()
    .default('docker.io,quay.io,ghcr.io,nvcr.io,registry.k8s.io')
    .transform(parseRegistries)
    .describe('Registries that images may come from, with commas; an image without a registry is one of docker.io'),
  MUSTER_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Least level of the log lines that are written'),
  MUSTER_CACHE: z
    .string()
    .default(() => cacheFolder())
    .transform((path) => resolve(path))
    .meta({ shown: '~/.cache/muster' })
    .describe('Folder for programs that were fetched once; it may be deleted at any time'),
  MUSTER_CHECKIN_SECONDS: integer(1, 3600).prefault('10').describe('Seconds between two check-ins of an agent'),
  MUSTER_DISK_LIMIT_PERCENT: integer(1, 100)
    .prefault('90')
    .describe("How full the engine's disk on this machine may be before images are pruned ahead of a pull"),
  MUSTER_PRUNE_GRACE_MINUTES: integer(0, 525_600)
    .prefault('60')
    .describe('Minutes that the agent on this machine keeps an image after the rule for its removal was first met'),
  MUSTER_START_TIMEOUT_MINUTES: integer(1, 10_080)
    .prefault('30')
    .describe('Minutes that a placed session may take to run, pulling its image included; then it is withdrawn'),
  MUSTER_LOST_AFTER_MINUTES: integer(1, 525_600)
    .optional()
    .meta({ shown: 'none: only by hand' })
    .describe('Minutes of silence after which a missing agent is declared lost by itself, and its sessions end'),
  MUSTER_EMBEDDED_AGENT: z
    .string()
    .default('')
    .transform(parseIds)
    .meta({ shown: 'the agent of this machine' })
    .describe('Ids of the agents that need no approval, with commas; set by `npm start`'),
  MUSTER_SIMULATED: z
    .enum(['0', '1'])
    .default('0')
    .transform((value) => value === '1')
    .describe('1 when the agents are simulated; set by `npm start -- --simulate <n>`'),
} as const;

const schema = z.object(shape);
type Parsed = z.output<typeof schema>;

export type Config = TransportConfig &
  GatewaySecretsConfig & {
    readonly dataDir: string;
    /** The file with the key that the secrets on the bus are encrypted with. */
    readonly secretsKey: string;
    readonly natsUrl: string | undefined;
    readonly natsPort: number | undefined;
    /** Copies of every log and stream on the bus. */
    readonly replicas: 1 | 3;
    readonly eventLog: EventLogPlace;
    readonly dockerHost: string;
    readonly adminKey: string | undefined;
    readonly agentId: string;
    /** The file with the manager token that admits the agent on this machine. */
    readonly managerTokenFile: string;
    readonly zone: string;
    readonly sessionAddress: string;
    readonly allowedRegistries: readonly string[];
    readonly logLevel: Parsed['MUSTER_LOG_LEVEL'];
    readonly cacheDir: string;
    readonly checkInSeconds: number;
    readonly diskLimitPercent: number;
    readonly pruneGraceMinutes: number;
    readonly startTimeoutMinutes: number;
    /** Null: a missing agent is declared lost only by hand. */
    readonly lostAfterMinutes: number | null;
    /** Agents that the gateway approves by itself. */
    readonly embeddedAgents: readonly string[];
    readonly simulated: boolean;
  };

/** Where the event logs are kept. `url` is a connection string, which may hold a password. */
export type EventLogPlace = { readonly kind: 'nats' } | { readonly kind: 'eventStore'; readonly url: string };

/** Names every wrong variable at once. */
export class ConfigError extends Error {
  readonly code = 'CONFIG';
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super(
      `The configuration is wrong in ${problems.length} place${problems.length === 1 ? '' : 's'}:\n` +
        problems.map((problem) => `  ${problem.name} ${problem.message}`).join('\n'),
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

export type ReadOptions = {
  /** The program is a gateway, or starts one: on a bus that already runs it needs every password of it. Agents need none. */
  readonly asGateway?: boolean;
};

/** Reads the configuration from environment variables and the configuration file. An empty variable counts as not set. */
export function readConfig(environment: Environment, options: ReadOptions = {}): Config {
  const { env, places, problems: ofFile } = withConfigFile(environment);
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(set);
  const found: ConfigProblem[] = unknownNames(Object.keys(set), places);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const name = String(issue.path[0]);
      found.push({ name, message: `${issue.message}${shownValue(name, set[name])}` });
    }
  }
  if (set['MUSTER_NATS_URL'] !== undefined && options.asGateway === true) {
    const message = 'must be set, because MUSTER_NATS_URL is';
    found.push(...SECRETS_OF_GATEWAYS.filter((name) => set[name] === undefined).map((name) => ({ name, message })));
  }
  if (set['MUSTER_REPLICAS'] === '3' && set['MUSTER_NATS_URL'] === undefined) {
    const message = 'is 3, which needs a cluster: name its servers in MUSTER_NATS_URL, since only one is started here';
    found.push({ name: 'MUSTER_REPLICAS', message });
  }
  found.push(...transportProblems(set));
  const placed = found.map(({ name, message }) => ({ name, message: `${message}${places.get(name) ?? ''}` }));
  const problems = [...ofFile, ...placed];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return named(parsed.data);
}

function named(data: Parsed): Config {
  return {
    dataDir: data.MUSTER_DATA,
    secretsKey: data.MUSTER_SECRETS_KEY ?? join(data.MUSTER_DATA, 'secrets.key'),
    ...transportOf(data),
    natsUrl: data.MUSTER_NATS_URL,
    ...gatewaySecretsOf(data),
    natsPort: data.MUSTER_NATS_PORT,
    replicas: data.MUSTER_REPLICAS,
    eventLog: data.MUSTER_EVENT_LOG,
    dockerHost: data.DOCKER_HOST,
    adminKey: data.MUSTER_ADMIN_KEY,
    agentId: data.MUSTER_AGENT_ID,
    managerTokenFile: data.MUSTER_MANAGER_TOKEN_FILE ?? join(data.MUSTER_DATA, 'manager.token'),
    zone: data.MUSTER_ZONE,
    sessionAddress: data.MUSTER_SESSION_ADDRESS,
    allowedRegistries: data.MUSTER_ALLOWED_REGISTRIES,
    logLevel: data.MUSTER_LOG_LEVEL,
    cacheDir: data.MUSTER_CACHE,
    checkInSeconds: data.MUSTER_CHECKIN_SECONDS,
    diskLimitPercent: data.MUSTER_DISK_LIMIT_PERCENT,
    pruneGraceMinutes: data.MUSTER_PRUNE_GRACE_MINUTES,
    startTimeoutMinutes: data.MUSTER_START_TIMEOUT_MINUTES,
    lostAfterMinutes: data.MUSTER_LOST_AFTER_MINUTES ?? null,
    embeddedAgents: data.MUSTER_EMBEDDED_AGENT,
    simulated: data.MUSTER_SIMULATED,
  };
}

/** The same configuration as environment variables, for a child process: `readConfig` of it gives it back. */
export function configEnvironment(config: Config): Readonly<Record<string, string>> {
  const optional: Readonly<Record<string, string | undefined>> = {
    ...transportEnvironment(config),
    MUSTER_NATS_URL: config.natsUrl,
    ...gatewaySecretsEnvironment(config),
    MUSTER_NATS_PORT: config.natsPort?.toString(),
    MUSTER_ADMIN_KEY: config.adminKey,
    MUSTER_LOST_AFTER_MINUTES: config.lostAfterMinutes?.toString(),
  };
  return {
    MUSTER_DATA: config.dataDir,
    MUSTER_SECRETS_KEY: config.secretsKey,
    MUSTER_REPLICAS: String(config.replicas),
    MUSTER_EVENT_LOG: config.eventLog.kind === 'nats' ? 'nats' : config.eventLog.url,
    DOCKER_HOST: config.dockerHost,
    MUSTER_AGENT_ID: config.agentId,
    MUSTER_MANAGER_TOKEN_FILE: config.managerTokenFile,
    MUSTER_ZONE: config.zone,
    MUSTER_SESSION_ADDRESS: config.sessionAddress,
    MUSTER_ALLOWED_REGISTRIES: config.allowedRegistries.join(','),
    MUSTER_LOG_LEVEL: config.logLevel,
    MUSTER_CACHE: config.cacheDir,
    MUSTER_CHECKIN_SECONDS: String(config.checkInSeconds),
    MUSTER_DISK_LIMIT_PERCENT: String(config.diskLimitPercent),
    MUSTER_PRUNE_GRACE_MINUTES: String(config.pruneGraceMinutes),
    MUSTER_START_TIMEOUT_MINUTES: String(config.startTimeoutMinutes),
    MUSTER_EMBEDDED_AGENT: config.embeddedAgents.join(','),
    MUSTER_SIMULATED: config.simulated ? '1' : '0',
    ...Object.fromEntries(
      Object.entries(optional).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
  };
}

export type ConfigRow = {
  readonly name: string;
  readonly default: string;
  readonly meaning: string;
};

/** One row per variable, in the order of the schema. */
export function describeConfig(): readonly ConfigRow[] {
  return Object.entries(shape).map(([name, field]) => {
    const shown = field.meta()?.['shown'];
    return {
      name,
      default: typeof shown === 'string' ? shown : `\`${String(schemaDefault(field))}\``,
      meaning: field.description ?? '',
    };
  });
}

/** The README's table. */
export function configTable(): string {
  const rows = describeConfig().map((row) => `| \`${row.name}\` | ${row.default} | ${row.meaning} |`);
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

/** What the schema itself says before any transformation. */
function schemaDefault(field: z.ZodType): unknown {
  return z.toJSONSchema(field, { io: 'input', unrepresentable: 'any' }).default;
}

function id(): z.ZodString {
  return z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -');
}

function integer(least: number, most: number): z.ZodType<number, string> {
  return z.string().transform((value, context) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= least && number <= most) return number;
    context.addIssue({
      code: 'custom',
      message: `must be a whole number from ${least} to ${most}`,
    });
    return z.NEVER;
  });
}

function parseEventLog(value: string, context: z.RefinementCtx): EventLogPlace {
  if (value === 'nats') return { kind: 'nats' };
  const message = connectionProblem(value);
  if (message === null) return { kind: 'eventStore', url: value };
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

function parseRegistries(value: string, context: z.RefinementCtx): readonly string[] {
  const names = value.split(',').map((name) => name.trim());
  if (!names.every((name) => /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/.test(name))) {
    context.addIssue({
      code: 'custom',
      message: 'must be host names such as docker.io, with commas between them',
    });
  }
  return names;
}

function parseIds(value: string, context: z.RefinementCtx): readonly string[] {
  if (value === '') return [];
  const ids = value.split(',').map((text) => text.trim());
  if (!ids.every((text) => id().safeParse(text).success)) {
    context.addIssue({ code: 'custom', message: 'must be ids (letters, digits, _ or -), with commas between them' });
  }
  return ids;
}

/** Ids become parts of subjects and file names, so every other character becomes a dash. */
export function agentIdFrom(host: string): string {
  const valid = host.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, 64);
  return valid === '' ? 'agent' : valid;
}

/** Variables for the test suite alone are nobody's mistake. */
const NOT_OURS = /^MUSTER_TEST_/;

/** Other programs' variables are none of our business in the environment; in our own file every name must be ours. */
function unknownNames(names: readonly string[], places: ReadonlyMap<string, string>): ConfigProblem[] {
  const known = Object.keys(shape);
  return names
    .filter((name) => (name.startsWith('MUSTER_') && !NOT_OURS.test(name)) || places.has(name))
    .filter((name) => !known.includes(name))
    .map((name) => {
      const nearest = nearestOf(name, known);
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
      return { name, message: `is not a variable of Muster${hint}` };
    });
}

function shownValue(name: string, value: string | undefined): string {
  const field = Object.entries(shape).find(([known]) => known === name)?.[1];
  return value === undefined || field?.meta()?.['secret'] === true ? '' : ` (it is "${value}")`;
}
