import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import * as z from 'zod';
import { cacheFolder } from '../tools/cache.ts';
import { gatewaySecretsShape } from './bus.ts';
import { CONFIG_FILE_VARIABLE } from './file.ts';
import { busShape, httpShape } from './transport.ts';
import { agentIdFrom, id, integer, parseEventLog, parseIds, parseRegistries } from './values.ts';

/**
 * Every setting that is read from the environment, and from the file that MUSTER_CONFIG names. The description and the shown default make the table of
 * `npx muster config` and of the README; a default that depends on the machine is a sentence there.
 */
export const shape = {
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

export const schema = z.object(shape);
export type Parsed = z.output<typeof schema>;
