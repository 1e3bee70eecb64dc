import { join } from 'node:path';
import { nearestOf } from '../nearest.ts';
import { gatewaySecretsEnvironment, gatewaySecretsOf, SECRETS_OF_GATEWAYS, type GatewaySecretsConfig } from './bus.ts';
import { withConfigFile, type ConfigProblem, type Environment } from './file.ts';
import { schema, shape, type Parsed } from './shape.ts';
import { transportEnvironment, transportOf, transportProblems, type TransportConfig } from './transport.ts';
import type { EventLogPlace } from './values.ts';

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
