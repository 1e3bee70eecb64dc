import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { busGatewayVariables, busServerVariables, type BusSecrets } from './busSecrets.ts';

/** The two files in which an operator keeps the secrets of a bus that is not started by `npm start`. */
export interface BusSecretsFile {
  readonly name: string;
  readonly text: string;
}

/** What nats-server reads, and what each of its gateways reads. As Docker Compose, systemd and shells read such files. */
export function busSecretsFiles(secrets: BusSecrets): readonly [bus: BusSecretsFile, gateway: BusSecretsFile] {
  const bus = [
    '# For nats-server: the environment in which it reads nats.conf, in a file of its own, mode 0600. compose.nats.yaml reads it in',
    '# /etc/muster/bus.env; a shell does by `set -a; . ./bus.env`. nats-server takes 12345 for a number and stops at a space, so the',
    '# inner double quotes belong to the values. Of the key with which gateways sign it knows the public half alone.',
    ...Object.entries(busServerVariables(secrets)).map(([name, value]) => `${name}='${value}'`),
  ];
  const gateway = [
    "# For every gateway of that bus: lines of its configuration file (gateway.env, mode 0600). The same passwords, without the bus's",
    '# inner quotes, and the seed, which nobody else may have: whoever has it decides who enters the bus. Agents get none of this.',
    ...Object.entries(busGatewayVariables(secrets)).map(([name, value]) => `${name}=${value}`),
  ];
  return [
    { name: 'bus.env', text: `${bus.join('\n')}\n` },
    { name: 'gateway-secrets.env', text: `${gateway.join('\n')}\n` },
  ];
}

/**
 * Writes both into a folder that is there, for their owner alone, and resolves with their paths. Where one of them is there
 * already it rejects with EEXIST and leaves all as it was.
 */
export async function writeBusSecrets(folder: string, secrets: BusSecrets): Promise<readonly string[]> {
  const made: { readonly path: string; readonly file: FileHandle; readonly text: string }[] = [];
  try {
    for (const { name, text } of busSecretsFiles(secrets)) {
      const path = join(folder, name);
      made.push({ path, file: await open(path, 'wx', 0o600), text });
    }
    for (const { file, text } of made) {
      await file.writeFile(text);
      await file.sync();
    }
    return made.map(({ path }) => path);
  } catch (error) {
    for (const { path } of made) await rm(path);
    throw error;
  } finally {
    for (const { file } of made) await file.close();
  }
}
