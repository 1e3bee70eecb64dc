import { connect as dial } from 'node:net';
import { once } from 'node:events';
import test from 'ava';
import { signedToken } from '../infra/nkeys/jwt.ts';
import { newAccountSeed, signerOf } from '../infra/nkeys/nkey.ts';
import { startDoor } from './support/door.ts';
import { seededRandom, type Random } from './simulation/random.ts';
import { someText, someValue } from './support/malformed.ts';
import { calloutJudge } from '../gateway/callout/callout.ts';
import { realClock } from '../infra/clock.ts';

/** Ten thousand malformed inputs to whoever guards the bus: none ends a gateway, none is let in, and the door stays open. */

const ASKED = 9000;
const DIALLED = 1000;
/** Whoever fails too often is not answered, and then waits as long as the server does. */
const AT_ONCE = 250;
const SEED = Number(process.env['MUSTER_TEST_SEED'] ?? 20_261_127);

test(`${ASKED} malformed questions to the gateway: it answers none of them, and judges the next as before`, async (t) => {
  const random = seededRandom(SEED);
  const judge = calloutJudge({
    signer: signerOf(newAccountSeed()),
    admission: { admit: () => Promise.reject(new Error('nobody asked whom to let in')) },
    clock: realClock,
    random: Math.random,
    onTrouble: (sentence, cause) => t.fail(`${sentence}: ${String(cause)}`),
  });
  for (let index = 0; index < ASKED; index += 1) {
    t.deepEqual(await judge(question(index, random)), { outcome: 'REQUEST_MALFORMED', token: null });
  }
});

/** From nothing like a token to one that is right but for who has signed it, or for one field. */
function question(index: number, random: Random): Uint8Array {
  const any = (): unknown => someValue(random);
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value) ?? '').toString('base64url');
  const nats = { server_id: { id: any() }, user_nkey: any(), client_info: any(), connect_opts: any(), type: any() };
  switch (index % 6) {
    case 0:
      return Buffer.from(someText(random));
    case 1:
      return Buffer.from(`${part(any())}.${part(any())}.${part(any())}`);
    case 2:
      return Buffer.from(JSON.stringify({ nats, iss: any() }));
    case 3:
      return Buffer.from(`e30.${part({ nats, iss: any(), aud: any() })}.${part(someText(random))}`);
    case 4: {
      const signer = signerOf(newAccountSeed());
      return Buffer.from(signedToken(signer, { aud: 'nats-authorization-request', sub: 'x', iat: 0, exp: 9e9, nats }));
    }
    default:
      return Buffer.from('.'.repeat(index % 100));
  }
}

test(`${DIALLED} malformed greetings to the bus: none is let in, and the next right one is`, async (t) => {
  const door = await startDoor(t);
  const { url } = door.muster.nats;
  const random = seededRandom(SEED);
  const [good, other] = [door.credentials('gpu-1'), door.credentials('gpu-2')];
  let letIn = 0;
  for (let begun = 0; begun < DIALLED; begun += AT_ONCE) {
    const greetings = Array.from({ length: AT_ONCE }, (_, index) => greeting(begun + index, random, good));
    const outcomes = await Promise.all(greetings.map((text) => isLetIn(url, text)));
    letIn += outcomes.filter((isIn) => isIn).length;
    t.truthy(await door.enter(other), `after ${begun + AT_ONCE}`);
  }
  t.is(letIn, 0);
  t.is((await door.muster.agents()).length, 1);
});

function greeting(index: number, random: Random, good: { readonly user: string; readonly pass: string }): string {
  const cut = random.int(0, good.pass.length - 1);
  const wrong: unknown[] = [
    { user: someText(random), pass: someText(random) },
    { user: good.user, pass: good.pass.slice(0, cut) },
    { user: good.user, pass: `${good.pass.slice(0, cut)}\u0000${good.pass.slice(cut + 1)}` },
    { user: `${good.user}\r\nPING`, pass: good.pass },
    { user: 'x'.repeat(10_000), pass: 'y'.repeat(10_000) },
    { user: someValue(random), pass: someValue(random) },
    { jwt: someText(random), nkey: someText(random), sig: someText(random) },
    { user: `${good.user}.>`, pass: good.pass, name: someText(random) },
  ];
  return `CONNECT ${JSON.stringify(wrong[index % wrong.length])}\r\nPING\r\n`;
}

/** Whether the server answers the PING behind a greeting. */
async function isLetIn(url: string, greetingText: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = dial({ host: hostname, port: Number(port) });
  let said = '';
  socket.on('data', (chunk) => {
    said += chunk.toString('latin1');
    if (said.includes('PONG') || said.includes('-ERR')) socket.destroy();
  });
  socket.on('error', () => undefined);
  socket.write(greetingText);
  await once(socket, 'close');
  return said.includes('PONG');
}
