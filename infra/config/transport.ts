import { resolve } from 'node:path';
import * as z from 'zod';
import type { BusTls } from '../bus/tls.ts';
import type { ConfigProblem } from './file.ts';
import { httpAuthority, isLoopback, isWildcard, parseHttp, type HttpAddress } from '../httpAddress.ts';
import type { CertificateFiles } from '../tls/certificate.ts';

/** The settings of who may listen where, with which certificates: part of the configuration, apart because they check one another. */
export const httpShape = {
  MUSTER_HTTP: z
    .string()
    .default('127.0.0.1:8080')
    .transform(parseHttp)
    .describe('Address of the dashboard and the REST API; beyond loopback only with a certificate'),
  MUSTER_TLS_CERT: file()
    .meta({ shown: 'none: plain HTTP on loopback' })
    .describe('Certificate of this machine with what leads to its authority (PEM); read again when it changes'),
  MUSTER_TLS_KEY: file()
    .meta({ shown: 'none' })
    .describe('Private key of MUSTER_TLS_CERT (PEM, no password), mode 0600'),
  MUSTER_PUBLIC_URL: z
    .string()
    .transform(parsePublicUrl)
    .optional()
    .meta({ shown: 'MUSTER_HTTP' })
    .describe(
      'Where browsers and the command line reach it, such as https://muster.example.org, when it is another address',
    ),
  MUSTER_CA: file()
    .meta({ shown: 'none: those of this machine' })
    .describe('Authorities (PEM) that the command line trusts besides, when it talks to the gateway'),
} as const;

export const busShape = {
  MUSTER_NATS_HOST: z
    .string()
    .regex(/^[A-Za-z0-9.:_-]{1,255}$/, 'must be a host name or an address')
    .optional()
    .meta({ shown: '`127.0.0.1`' })
    .describe('Address of the nats-server that is started; beyond loopback it speaks TLS, with MUSTER_TLS_CERT'),
  MUSTER_NATS_CA: file()
    .meta({ shown: 'none: those of this machine' })
    .describe('Authorities (PEM) that are trusted for a bus with tls://, instead of those of this machine'),
  MUSTER_NATS_TLS_NAME: z
    .string()
    .regex(/^[A-Za-z0-9.:-]{1,255}$/, 'must be a host name or an address')
    .optional()
    .meta({ shown: 'the host in MUSTER_NATS_URL' })
    .describe('Name in the certificate of the bus, when it is reached under another, through a tunnel say'),
  MUSTER_NATS_CERT: file().meta({ shown: 'none' }).describe('Certificate (PEM) to show a bus that asks for one'),
  MUSTER_NATS_KEY: file()
    .meta({ shown: 'none' })
    .describe('Private key of MUSTER_NATS_CERT (PEM, no password), mode 0600'),
} as const;

type Parsed = z.output<z.ZodObject<typeof httpShape & typeof busShape>>;

export type TransportConfig = {
  readonly http: HttpAddress;
  /** The certificate of this machine; null: HTTP is plain. */
  readonly tls: CertificateFiles | null;
  /** Where browsers reach it when that is not `http`: an origin, `https://muster.example.org`. */
  readonly publicUrl: string | undefined;
  readonly ca: string | undefined;
  /** Where the nats-server that is started listens. */
  readonly natsHost: string;
  readonly natsTls: BusTls;
};

const BUS_HOST = '127.0.0.1';

export function transportOf(data: Parsed): TransportConfig {
  const { MUSTER_TLS_CERT: cert, MUSTER_TLS_KEY: key } = data;
  return {
    http: data.MUSTER_HTTP,
    tls: cert === undefined || key === undefined ? null : { cert, key },
    publicUrl: data.MUSTER_PUBLIC_URL,
    ca: data.MUSTER_CA,
    natsHost: data.MUSTER_NATS_HOST ?? BUS_HOST,
    natsTls: {
      ca: data.MUSTER_NATS_CA,
      cert: data.MUSTER_NATS_CERT,
      key: data.MUSTER_NATS_KEY,
      serverName: data.MUSTER_NATS_TLS_NAME,
    },
  };
}

/** The variables that give these settings back. */
export function transportEnvironment(config: TransportConfig): Readonly<Record<string, string | undefined>> {
  return {
    MUSTER_HTTP: httpAuthority(config.http),
    MUSTER_TLS_CERT: config.tls?.cert,
    MUSTER_TLS_KEY: config.tls?.key,
    MUSTER_PUBLIC_URL: config.publicUrl,
    MUSTER_CA: config.ca,
    MUSTER_NATS_HOST: config.natsHost === BUS_HOST ? undefined : config.natsHost,
    MUSTER_NATS_CA: config.natsTls.ca,
    MUSTER_NATS_TLS_NAME: config.natsTls.serverName,
    MUSTER_NATS_CERT: config.natsTls.cert,
    MUSTER_NATS_KEY: config.natsTls.key,
  };
}

/** Where browsers and the command line reach the gateway: an origin without a slash at its end. */
export function gatewayUrl({ publicUrl, tls, http }: Pick<TransportConfig, 'publicUrl' | 'tls' | 'http'>): string {
  return publicUrl ?? `${tls === null ? 'http' : 'https'}://${httpAuthority(http)}`;
}

type Set = Readonly<Record<string, string | undefined>>;

/** What does not go together. Each problem names a variable that is set, so that leaving that one away mends it. */
export function transportProblems(set: Set): readonly ConfigProblem[] {
  return [
    ...halves(set, 'MUSTER_TLS_CERT', 'MUSTER_TLS_KEY'),
    ...halves(set, 'MUSTER_NATS_CERT', 'MUSTER_NATS_KEY'),
    ...listening(set),
    ...ownBus(set),
    ...busWithTls(set),
  ];
}

function halves(set: Set, first: string, second: string): readonly ConfigProblem[] {
  if ((set[first] === undefined) === (set[second] === undefined)) return [];
  const [there, missing] = set[first] === undefined ? [second, first] : [first, second];
  return [{ name: there, message: `is set, so ${missing} must be too` }];
}

function listening(set: Set): readonly ConfigProblem[] {
  const http = httpShape.MUSTER_HTTP.safeParse(set['MUSTER_HTTP']);
  if (!http.success || isLoopback(http.data.host)) return [];
  const shown = `(it is "${set['MUSTER_HTTP']}")`;
  const problem = (message: string): ConfigProblem => ({ name: 'MUSTER_HTTP', message: `${message} ${shown}` });
  if (!hasCertificate(set)) {
    const remedy = 'set MUSTER_TLS_CERT and MUSTER_TLS_KEY, or put a proxy with TLS in front of it';
    return [problem(`must be a loopback address without TLS: ${remedy}`)];
  }
  if (!isWildcard(http.data.host) || set['MUSTER_PUBLIC_URL'] !== undefined) return [];
  return [problem('stands for every address of this machine, so MUSTER_PUBLIC_URL must say where browsers reach it')];
}

function ownBus(set: Set): readonly ConfigProblem[] {
  const host = set['MUSTER_NATS_HOST'];
  if (host === undefined) return [];
  const problem = (message: string): ConfigProblem => ({ name: 'MUSTER_NATS_HOST', message });
  if (set['MUSTER_NATS_URL'] !== undefined) {
    return [problem('is for a nats-server that is started, and MUSTER_NATS_URL names one that runs already')];
  }
  if (isLoopback(host)) return [];
  return [
    ...(hasCertificate(set) ? [] : [problem('must be a loopback address without MUSTER_TLS_CERT and MUSTER_TLS_KEY')]),
    ...(set['MUSTER_NATS_PORT'] === undefined ? [problem('needs a port that is known: set MUSTER_NATS_PORT')] : []),
  ];
}

/** What is for TLS on the bus goes with a bus that speaks it: another's by its URL, our own beyond loopback. */
function busWithTls(set: Set): readonly ConfigProblem[] {
  const [url, host] = [set['MUSTER_NATS_URL'], set['MUSTER_NATS_HOST'] ?? BUS_HOST];
  if (url === undefined ? !isLoopback(host) : url.includes('tls://')) return [];
  return Object.keys(busShape)
    .filter((name) => name !== 'MUSTER_NATS_HOST' && set[name] !== undefined)
    .map((name) => ({ name, message: 'is for a bus with TLS: write tls:// in MUSTER_NATS_URL' }));
}

function hasCertificate(set: Set): boolean {
  return set['MUSTER_TLS_CERT'] !== undefined && set['MUSTER_TLS_KEY'] !== undefined;
}

function file() {
  return z
    .string()
    .transform((path) => resolve(path))
    .optional();
}

/** An origin: https, or plain http on loopback, and nothing behind the port. */
function parsePublicUrl(value: string, context: z.RefinementCtx): string {
  const url = URL.canParse(value) ? new URL(value) : null;
  const isOrigin = url !== null && [url.origin, `${url.origin}/`].includes(value.toLowerCase());
  const secure =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname.replaceAll(/[[\]]/g, '')));
  if (isOrigin && secure) return url.origin;
  context.addIssue({ code: 'custom', message: 'must be like https://muster.example.org, without a path' });
  return z.NEVER;
}
