import { headers } from 'nats';
import { getMessage, publishAcked } from '../bus/api.ts';
import type { Bus } from '../bus/connect.ts';
import { ServerCode, hasServerCode } from '../bus/errors.ts';
import { ensureSecrets } from '../bus/streams.ts';
import { SECRETS_CHECK, SECRETS_STREAM, secretSubject } from '../names.ts';
import { openBusSecrets } from './bus.ts';
import { SecretError, SecretErrorCode } from './errors.ts';
import { makeKeyFile, readKeyFile } from './keyFile.ts';
import type { SecretStore } from './port.ts';
import { createSeal, type Seal } from './seal.ts';

export interface OpenSecretsOptions {
  /** Connected to the account LOG. */
  readonly bus: Bus;
  readonly replicas: number;
  /** The key file; made when neither it nor any secret is there. */
  readonly keyPath: string;
  readonly onTrouble: (sentence: string, cause?: unknown) => void;
}

const CHECK_TEXT = 'these secrets are encrypted with this key';

/**
 * Opens the secrets of a bus with the key of this gateway. Rejects with SecretError: SECRETS_KEY_FILE when there is no usable
 * key, SECRETS_KEY_WRONG when the secrets are encrypted with another one; with BusError when the bus cannot be asked.
 */
export async function openSecrets({ bus, replicas, keyPath, onTrouble }: OpenSecretsOptions): Promise<SecretStore> {
  await ensureSecrets(bus, replicas);
  const seal = createSeal((await readKeyFile(keyPath)) ?? (await firstKey(bus, keyPath)));
  const prepare = async (): Promise<void> => {
    await ensureSecrets(bus, replicas);
    await requireOwnKey(bus, seal, keyPath);
  };
  await requireOwnKey(bus, seal, keyPath);
  return await openBusSecrets({ bus, seal, prepare, onTrouble });
}

/** A new key would open nothing where there are secrets already, and would stand in the way of the right one. */
async function firstKey(bus: Bus, keyPath: string): Promise<Uint8Array> {
  if ((await standingCheck(bus)) === null) return await makeKeyFile(keyPath);
  const message =
    `the secrets on this bus are encrypted, and there is no key at ${keyPath}: ` +
    'copy secrets.key of a gateway that uses this bus to there (mode 0600), or name it in MUSTER_SECRETS_KEY';
  throw new SecretError(SecretErrorCode.KeyFile, message);
}

/** Whoever comes first leaves a text that only the key opens; everybody else opens it. */
async function requireOwnKey(bus: Bus, seal: Seal, keyPath: string): Promise<void> {
  const standing = (await standingCheck(bus)) ?? (await leaveCheck(bus, seal));
  if (standing === 'ours' || seal.open(SECRETS_CHECK, standing) === CHECK_TEXT) return;
  const message =
    `the secrets on this bus are encrypted with another key than the one in ${keyPath}: ` +
    'copy secrets.key of a gateway that uses this bus to there (mode 0600), or name it in MUSTER_SECRETS_KEY';
  throw new SecretError(SecretErrorCode.KeyWrong, message);
}

async function standingCheck(bus: Bus): Promise<Uint8Array | null> {
  return (await getMessage(bus, SECRETS_STREAM, { last_by_subj: secretSubject(SECRETS_CHECK) }))?.data ?? null;
}

async function leaveCheck(bus: Bus, seal: Seal): Promise<Uint8Array | 'ours'> {
  const expectation = headers();
  expectation.set('Nats-Expected-Last-Subject-Sequence', '0');
  const sealed = seal.close(SECRETS_CHECK, CHECK_TEXT);
  try {
    await publishAcked(bus, secretSubject(SECRETS_CHECK), sealed, expectation);
    return 'ours';
  } catch (error) {
    if (!hasServerCode(error, ServerCode.wrongLastSequence, ServerCode.wrongLastSequenceInFlight)) throw error;
    const others = await standingCheck(bus);
    if (others === null) throw error;
    return others;
  }
}
