import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import test from 'ava';
import { calloutJudge } from '../gateway/callout/callout.ts';
import type { Entry } from '../gateway/callout/entry.ts';
import type { Refusal } from '../gateway/callout/admission.ts';
import { readToken } from '../infra/nkeys/jwt.ts';
import { newAccountSeed, publicKeyText, signerOf } from '../infra/nkeys/nkey.ts';
import { manualClock } from './support/manualClock.ts';

/** What a gateway answers a server that asks who may enter. */

const START = Date.UTC(2026, 10, 22);
const server = generateKeyPairSync('ed25519');
const SERVER = publicKeyText('server', rawOf(server.publicKey));
const USER = publicKeyText('user', rawOf(generateKeyPairSync('ed25519').publicKey));

function rawOf(publicKey: KeyObject): Uint8Array {
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
}

function question(
  change: { readonly iss?: string; readonly aud?: string; readonly serverId?: string } = {},
): Uint8Array {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nats = {
    server_id: { name: 'muster', id: change.serverId ?? SERVER },
    user_nkey: USER,
    client_info: { host: '10.0.0.1' },
    connect_opts: { user: 'gpu-1', pass: 'secret', name: 'n' },
  };
  const claims = { aud: change.aud ?? 'nats-authorization-request', iss: change.iss ?? SERVER, nats };
  const body = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(claims)}`;
  return Buffer.from(`${body}.${sign(null, Buffer.from(body), server.privateKey).toString('base64url')}`);
}

function judgeWith(entry: Entry | Refusal | Error, random = 0.5) {
  const signer = signerOf(newAccountSeed());
  const troubles: string[] = [];
  const judge = calloutJudge({
    signer,
    admission: { admit: () => (entry instanceof Error ? Promise.reject(entry) : Promise.resolve(entry)) },
    clock: manualClock(START),
    random: () => random,
    onTrouble: (sentence) => troubles.push(sentence),
  });
  return { judge, troubles };
}

interface Answered {
  readonly aud: string;
  readonly sub: string;
  readonly nats: { readonly error?: string; readonly jwt?: string; readonly type: string };
}

interface EntryClaims {
  readonly aud: string;
  readonly name: string;
  readonly sub: string;
  readonly exp: number;
  readonly nats: { readonly pub: object; readonly sub: object };
}

const agent: Entry = { kind: 'agent', agentId: 'gpu-1', standing: 'approved', tokenId: 'token-1', zones: ['default'] };

async function entryOf(entry: Entry, random?: number): Promise<EntryClaims> {
  const { token } = await judgeWith(entry, random).judge(question());
  const { nats } = readToken(token ?? '', 'account') as unknown as Answered;
  return readToken(nats.jwt ?? '', 'account') as unknown as EntryClaims;
}

test('an answer is for the server that asked, and for the one connection that it asked about', async (t) => {
  const { judge } = judgeWith(agent);
  const { outcome, token } = await judge(question());
  t.is(outcome, 'agent');
  t.like(readToken(token ?? '', 'account'), { aud: SERVER, sub: USER });
  t.like(await entryOf(agent), { aud: 'APP', sub: USER, name: 'agent.gpu-1.approved.token-1' });
});

test('an entry ends within a day, not all at once, and that of a key not after the key', async (t) => {
  const hours = async (entry: Entry, random: number) => ((await entryOf(entry, random)).exp - START / 1000) / 3600;
  t.is(await hours(agent, 0), 20);
  t.true((await hours(agent, 0.999)) <= 24);
  t.not(await hours(agent, 0.1), await hours(agent, 0.2));
  const key = { kind: 'key', keyId: 'k', role: 'admin' } as const;
  t.is(await hours({ ...key, expiresAt: START + 3_600_000 }, 0), 1);
  t.is(await hours({ ...key, expiresAt: null }, 0), 20);
  t.true((await hours({ ...key, expiresAt: START - 1 }, 0)) > 0);
});

test('whoever may listen to nothing is told so: an empty list would allow everything', async (t) => {
  const { nats } = await entryOf({ ...agent, standing: 'pending' });
  t.deepEqual(nats.sub, { deny: ['>'] });
  t.deepEqual(nats.pub, { allow: ['muster.checkin.default.gpu-1'] });
  const nowhere = await entryOf({ ...agent, standing: 'pending', zones: [] });
  t.deepEqual(nowhere.nats.pub, { deny: ['>'] });
});

test('a refusal says its code to the server, and too many tries say nothing', async (t) => {
  const { token } = await judgeWith('AGENT_REVOKED').judge(question());
  t.is((readToken(token ?? '', 'account') as unknown as Answered).nats.error, 'AGENT_REVOKED');
  t.deepEqual(await judgeWith('TOO_MANY_TRIES').judge(question()), { outcome: 'TOO_MANY_TRIES', token: null });
});

test('what fails while somebody is looked at is trouble, and he is to come again', async (t) => {
  const { judge, troubles } = judgeWith(new Error('the log is away'));
  t.like(await judge(question()), { outcome: 'UNAVAILABLE' });
  t.is(troubles.length, 1);
});

test('what another has signed, or for something else, is no question', async (t) => {
  const { judge } = judgeWith(agent);
  const other = publicKeyText('server', rawOf(generateKeyPairSync('ed25519').publicKey));
  for (const change of [{ iss: other }, { serverId: other }, { aud: 'something else' }, { iss: USER }]) {
    t.deepEqual(await judge(question(change)), { outcome: 'REQUEST_MALFORMED', token: null }, JSON.stringify(change));
  }
});
