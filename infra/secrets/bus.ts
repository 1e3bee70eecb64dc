import { headers } from 'nats';
import { getMessage, publishAcked, type StoredMessage } from '../bus/api.ts';
import { BusError, ServerCode, hasServerCode } from '../bus/errors.ts';
import { SECRETS_STREAM, secretSubject } from '../names.ts';
import { SecretError, SecretErrorCode } from './errors.ts';
import { conflict, requireRoom, requireValidName, requireValidSecret } from './guards.ts';
import type { SecretStore } from './port.ts';
import { ShownSecrets } from './shown.ts';
import { watchSecrets, type WatchPorts } from './watch.ts';

/** How long a removal stands in the bucket. Whoever was away for longer sees what is missing when it is back. */
const REMOVAL_MINUTES = 10;
/** A cluster may say of a write in flight that it conflicts, when nobody else has written. */
const ATTEMPTS = 5;

/**
 * Secrets in a key-value bucket of the account LOG, encrypted. Resolves once everything that stands is shown. Rejects with
 * BusError when the bus cannot be asked.
 */
export async function openBusSecrets(ports: WatchPorts): Promise<SecretStore> {
  const { bus, seal } = ports;
  const shown = new ShownSecrets();
  const end = new AbortController();
  const watch = watchSecrets(ports, shown, end.signal);
  try {
    await watch.whole();
  } catch (error) {
    end.abort();
    await watch.ended;
    throw error;
  }

  /** Compare-and-set; resolves once it is shown. `expected` null: nothing that can be read stands there. */
  async function write(name: string, data: Uint8Array, expected: number | null): Promise<number> {
    // On the bus 0 would mean that nothing stands there.
    if (expected !== null && !(Number.isSafeInteger(expected) && expected > 0)) throw conflict(name);
    let base = expected ?? 0;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      try {
        const revision = await publishAcked(bus, secretSubject(name), data, expectation(base, data));
        if (await watch.heard(name, revision)) return revision;
        throw new SecretError(SecretErrorCode.Unavailable, `${name} was written, but is not heard of: try again later`);
      } catch (error) {
        if (!hasServerCode(error, ServerCode.wrongLastSequence, ServerCode.wrongLastSequenceInFlight)) throw error;
        base = baseOf(name, await getMessage(bus, SECRETS_STREAM, { last_by_subj: secretSubject(name) }), expected);
      }
    }
    throw conflict(name);
  }

  /** What a write that was refused may be tried on; throws when somebody else's value stands there. */
  function baseOf(name: string, standing: StoredMessage | null, expected: number | null): number {
    const sequence = standing?.sequence ?? 0;
    if (sequence === expected) return sequence;
    const holdsNothing = standing === null || standing.data.length === 0 || seal.open(name, standing.data) === null;
    if (expected === null && holdsNothing) return sequence;
    throw conflict(name);
  }

  return {
    get: (name) => shown.get(name),
    names: (prefix) => shown.names(prefix),
    async put(name, value, expected) {
      requireValidSecret(name, value);
      requireRoom(shown.size, shown.get(name) === null);
      return await answered(write(name, seal.close(name, value), expected));
    },
    async remove(name, expected) {
      requireValidName(name);
      await answered(write(name, new Uint8Array(), expected));
    },
    onChange: (listener) => shown.onChange(listener),
    async close() {
      end.abort();
      await watch.ended;
      shown.forgetListeners();
    },
  };
}

/** A removal is an empty message that leaves by itself: an `nats kv` of the command line shows it as one. */
function expectation(base: number, data: Uint8Array) {
  const made = headers();
  made.set('Nats-Expected-Last-Subject-Sequence', String(base));
  if (data.length === 0) {
    made.set('KV-Operation', 'DEL');
    made.set('Nats-TTL', `${REMOVAL_MINUTES}m`);
  }
  return made;
}

async function answered<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    throw new SecretError(SecretErrorCode.Unavailable, `the secrets cannot be written: ${error.message}`, error);
  }
}
