import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { readConfig, type Config } from '../../infra/config/config.ts';
import { gatewayUrl } from '../../infra/config/transport.ts';
import { isCertificateError, readAuthorities } from '../../infra/tls/certificate.ts';
import { whyUntrusted } from '../../infra/tls/untrusted.ts';
import { CliError, ExitCode } from './exitCodes.ts';
import { errorOf } from './problemText.ts';

/** The folder of `npm start -- --simulate`, whose key is tried too when no folder was named. */
const DEMO_DATA = './.muster-demo';

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The REST API as the command line uses it. Refusals and silence are CliErrors with the exit code to end with. */
export class Client {
  readonly #base: string;
  readonly #url: string;
  #keys: readonly string[];

  constructor(url: string, keys: readonly string[]) {
    this.#url = url;
    this.#base = `${url}/api/v1`;
    this.#keys = keys;
  }

  /** `T` is the gateway's word: both ends are built from one commit. */
  async call<T>(path: string, call: Call = {}): Promise<T> {
    const response = await this.open(path, call);
    const text = await response.text();
    const value: T = text === '' ? undefined : JSON.parse(text);
    return value;
  }

  /** The answer itself, for streams. Throws when it is a refusal. */
  async open(path: string, call: Call = {}): Promise<Response> {
    for (const [index, key] of this.#keys.entries()) {
      const response = await this.#send(path, call, key);
      const wrongKey = response.status === 401 && index < this.#keys.length - 1;
      if (wrongKey) continue;
      if (!response.ok) throw errorOf(response.status, await response.text());
      this.#keys = [key];
      return response;
    }
    throw new CliError(ExitCode.unauthorized, 'there is no key to show', [
      'Set MUSTER_ADMIN_KEY, or run this where the data folder is (MUSTER_DATA): its admin.key is used.',
    ]);
  }

  async #send(path: string, { method = 'GET', body, headers = {} }: Call, key: string): Promise<Response> {
    try {
      return await fetch(this.#base + path, {
        method,
        headers: {
          ...headers,
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw unreachable(this.#url, error);
    }
  }
}

function unreachable(url: string, cause: unknown): CliError {
  const untrusted = whyUntrusted(cause);
  if (untrusted !== null) {
    const lines = ['MUSTER_CA names the file with its authority (PEM), MUSTER_PUBLIC_URL the name in the certificate.'];
    return new CliError(ExitCode.unreachable, `the certificate of ${url} is not trusted: ${untrusted}`, lines, cause);
  }
  const lines = ['Start it with `npm start`, or set MUSTER_HTTP or MUSTER_PUBLIC_URL to where it is.'];
  return new CliError(ExitCode.unreachable, `no gateway answers at ${url}`, lines, cause);
}

export async function openClient(): Promise<Client> {
  const config = readConfig(process.env);
  if (config.ca !== undefined) await trust(config.ca);
  return new Client(gatewayUrl(config), await keysOf(config));
}

/** From now on this process trusts the authorities in the file besides those of the machine. */
async function trust(path: string): Promise<void> {
  try {
    setDefaultCACertificates([...getCACertificates('default'), ...(await readAuthorities(path))]);
  } catch (error) {
    if (!isCertificateError(error)) throw error;
    throw new CliError(ExitCode.usage, `MUSTER_CA cannot be used: ${error.message}`, [], error);
  }
}

async function keysOf(config: Config): Promise<readonly string[]> {
  if (config.adminKey !== undefined) return [config.adminKey];
  const named = (process.env['MUSTER_DATA'] ?? '') !== '';
  const folders = named ? [config.dataDir] : [config.dataDir, resolve(DEMO_DATA)];
  const keys = await Promise.all(folders.map((folder) => keyIn(join(folder, 'admin.key'))));
  return keys.filter((key) => key !== null);
}

async function keyIn(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(ExitCode.unauthorized, `the key cannot be read: ${reason}`, [], error);
  }
}
