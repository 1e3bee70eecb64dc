import { request } from 'node:http';
import type { EngineAddress } from '../engine/address.ts';

/** What the engine says of itself, as much as is checked. Null: it does not say. */
export type EngineAccount = {
  readonly version: string;
  readonly apiVersion: string;
  readonly storageDriver: string;
  readonly cgroupVersion: string;
  readonly dataRoot: string;
  readonly runtimes: readonly string[];
  readonly limits: {
    readonly memory: boolean | null;
    readonly swap: boolean | null;
    readonly cpuQuota: boolean | null;
    readonly cpuShares: boolean | null;
    readonly pids: boolean | null;
  };
  readonly forwarding: boolean | null;
  /** As `docker info` prints them. */
  readonly warnings: readonly string[];
};

/** The engine answered, but not as a container engine does. */
export class EngineAnswerUnknown extends Error {
  readonly code = 'ENGINE_ANSWER_UNKNOWN';
  constructor(path: string, said: string) {
    super(`the answer to GET ${path} is not that of a container engine: ${said.slice(0, 200)}`);
    this.name = 'EngineAnswerUnknown';
  }
}

/** Asks for `/version` and `/info`: plainly, so that every failure keeps the code that the system gave it. */
export async function askEngine(address: EngineAddress, limitMs: number): Promise<EngineAccount> {
  const [version, info] = await Promise.all(['/version', '/info'].map((path) => get(address, path, limitMs)));
  return parseAccount(version ?? '', info ?? '');
}

/** `GET /version` and `GET /info` of Docker's API. */
export function parseAccount(versionText: string, infoText: string): EngineAccount {
  const version = objectOf('/version', versionText);
  const info = objectOf('/info', infoText);
  const text = (value: unknown, otherwise: string) => (typeof value === 'string' ? value : otherwise);
  const flag = (name: string) => (typeof info[name] === 'boolean' ? info[name] : null);
  const runtimes = info['Runtimes'];
  const warnings = info['Warnings'];
  return {
    version: text(version['Version'], 'unknown'),
    apiVersion: text(version['ApiVersion'], '0'),
    storageDriver: text(info['Driver'], 'unknown'),
    cgroupVersion: text(info['CgroupVersion'], '1'),
    dataRoot: text(info['DockerRootDir'], ''),
    runtimes: typeof runtimes === 'object' && runtimes !== null ? Object.keys(runtimes) : [],
    limits: {
      memory: flag('MemoryLimit'),
      swap: flag('SwapLimit'),
      cpuQuota: flag('CpuCfsQuota'),
      cpuShares: flag('CPUShares'),
      pids: flag('PidsLimit'),
    },
    forwarding: flag('IPv4Forwarding'),
    warnings: Array.isArray(warnings) ? warnings.filter((each): each is string => typeof each === 'string') : [],
  };
}

function objectOf(path: string, text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new EngineAnswerUnknown(path, text);
  }
  if (typeof value !== 'object' || value === null) throw new EngineAnswerUnknown(path, text);
  return Object.fromEntries(Object.entries(value));
}

const MOST_CHARACTERS = 4_000_000;

function get(address: EngineAddress, path: string, limitMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const where =
      address.kind === 'unix' ? { socketPath: address.socketPath } : { host: address.host, port: address.port };
    const asked = request({ ...where, path, signal: AbortSignal.timeout(limitMs) }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.length > MOST_CHARACTERS) asked.destroy(new EngineAnswerUnknown(path, text));
      });
      answer.once('error', reject).once('end', () => {
        if (answer.statusCode === 200) resolve(text);
        else reject(new EngineAnswerUnknown(path, `${answer.statusCode} ${text}`));
      });
    });
    asked.once('error', reject).end();
  });
}
