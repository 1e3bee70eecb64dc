import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { httpAuthority, readConfig, type Config } from '../../infra/config.ts';
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
  readonly #authority: string;
  #keys: readonly string[];

  constructor(authority: string, keys: readonly string[]) {
    this.#authority = authority;
    this.#base = `http://${authority}/api/v1`;
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
      const lines = ['Start it with `npm start`, or set MUSTER_HTTP to where it is.'];
      throw new CliError(ExitCode.unreachable, `no gateway answers at ${this.#authority}`, lines, error);
    }
  }
}

export async function openClient(): Promise<Client> {
  const config = readConfig(process.env);
  return new Client(httpAuthority(config.http), await keysOf(config));
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
