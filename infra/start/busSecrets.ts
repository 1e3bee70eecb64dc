import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { isAccountSeed, newAccountSeed, signerOf } from '../nkeys/nkey.ts';
import { quoted } from './busConfiguration.ts';
import { hasErrno } from './errors.ts';

const password = z.string().min(16);
export const busSecrets = z.object({
  logPassword: password,
  appPassword: password,
  authPassword: password,
  sysPassword: password,
  /** Of the key with which gateways sign who may enter. */
  issuerSeed: z.string().refine(isAccountSeed),
});
export type BusSecrets = Readonly<z.output<typeof busSecrets>>;

export function newBusSecrets(): BusSecrets {
  return {
    logPassword: newPassword(),
    appPassword: newPassword(),
    authPassword: newPassword(),
    sysPassword: newPassword(),
    issuerSeed: newAccountSeed(),
  };
}

/**
 * What a nats-server that runs with nats.conf reads from its environment: of the key only the public half. In the quotes
 * that keep each a text.
 */
export function busServerVariables(secrets: BusSecrets): Readonly<Record<string, string>> {
  return {
    MUSTER_NATS_LOG_PASSWORD: quoted(secrets.logPassword),
    MUSTER_NATS_APP_PASSWORD: quoted(secrets.appPassword),
    MUSTER_NATS_AUTH_PASSWORD: quoted(secrets.authPassword),
    MUSTER_NATS_SYS_PASSWORD: quoted(secrets.sysPassword),
    MUSTER_NATS_ISSUER: quoted(signerOf(secrets.issuerSeed).publicKey),
  };
}

/** What a gateway of that bus has in its configuration. */
export function busGatewayVariables(secrets: BusSecrets): Readonly<Record<string, string>> {
  return {
    MUSTER_NATS_LOG_PASSWORD: secrets.logPassword,
    MUSTER_NATS_APP_PASSWORD: secrets.appPassword,
    MUSTER_NATS_AUTH_PASSWORD: secrets.authPassword,
    MUSTER_NATS_SYS_PASSWORD: secrets.sysPassword,
    MUSTER_NATS_ISSUER_SEED: secrets.issuerSeed,
  };
}

/**
 * The secrets of the bus in the data folder, made once and kept there, readable by their owner alone. What an earlier
 * release did not know is made and added.
 */
export async function busSecretsOf(dataDir: string): Promise<BusSecrets> {
  const path = join(dataDir, 'bus.json');
  const kept = await keptIn(path);
  const whole = busSecrets.safeParse(kept);
  if (whole.success) return whole.data;
  const made = busSecrets.parse({ ...newBusSecrets(), ...kept });
  const unfinished = `${path}.new`;
  {
    await using file = await open(unfinished, 'w', 0o600);
    await file.writeFile(`${JSON.stringify(made)}\n`);
    await file.sync();
  }
  await rename(unfinished, path);
  return made;
}

async function keptIn(path: string): Promise<object> {
  try {
    return busSecrets.partial().parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return {};
    throw error;
  }
}

function newPassword(): string {
  return randomBytes(24).toString('base64url');
}
