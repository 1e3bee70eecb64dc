import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { ErrorCode, NatsError } from 'nats';
import { createJetStreamLog } from '../infra/log/jetstream/jetStreamLog.ts';
import { commandSubject } from '../infra/names.ts';
import { busCaller, type BusAnswer, type BusCaller } from './support/busCaller.ts';
import { recorded, sessionsIn } from './support/carefulClients.ts';
import { temporaryFolder } from './support/folder.ts';
import { gatewayEnvironment, restOf, type Rest, type StartAnswer } from './support/gateway.ts';
import { startGatewayChild } from './support/gatewayChild.ts';
import { startNats, type TestNats } from './support/nats.ts';
import { until } from './support/until.ts';

/** Two gateway processes on one real bus, and programs that ask there: either may go at any moment. */

const CLIENTS = 20;
const REQUESTS_EACH = 50;
/** A program that gets no answer for so long asks again, with the same key. */
const PATIENCE_MS = 3_000;
const AGAIN_MS = 50;
/** Also too many under way: those that nobody waits for any more may still be settled. */
const COME_AGAIN = new Set([429, 503]);

interface Process {
  readonly rest: Rest;
  readonly kill: (signal: NodeJS.Signals) => Promise<void>;
}

async function gatewayOn(t: ExecutionContext, nats: TestNats): Promise<Process> {
  const env = await gatewayEnvironment(nats, join(await temporaryFolder(t), 'data'));
  const child = await startGatewayChild(t, env);
  return {
    rest: restOf(`http://${env['MUSTER_HTTP']}`),
    async kill(signal) {
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    },
  };
}

async function twoGateways(t: ExecutionContext) {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const first = await gatewayOn(t, nats);
  const second = await gatewayOn(t, nats);
  await first.rest.defineImage('one');
  const caller = await busCaller(t, nats.url, first.rest, 'operator');
  // Both must have heard of the key.
  for (const { rest } of [first, second]) {
    await until(
      'the key known',
      () => rest.read<{ readonly keys: readonly unknown[] }>('/keys'),
      ({ keys }) => keys.length === 1,
    );
  }
  return { nats, first, second, caller };
}

interface Asking {
  readonly caller: BusCaller;
  readonly key: string;
  /** Called when nobody answered in time. */
  readonly onSilence?: () => void;
}

/** The same key again until there is an answer that says whether it was done. Gives the session's id. */
async function ask({ caller, key, onSilence = () => {} }: Asking): Promise<string> {
  const subject = commandSubject(caller.keyId, 'default', 'RequestSession');
  for (;;) {
    try {
      const answer = await caller.ask(subject, '{"imageId":"one"}', { 'Idempotency-Key': key }, PATIENCE_MS);
      if (answer.status === 200) return sessionIdOf(answer);
      if (!COME_AGAIN.has(answer.status)) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
    } catch (error) {
      if (!(error instanceof NatsError)) throw error;
      if (error.code === ErrorCode.Timeout) onSilence();
      else if (error.code !== ErrorCode.NoResponders) throw error;
    }
    await pause(AGAIN_MS);
  }
}

function sessionIdOf({ body }: BusAnswer): string {
  return (body as StartAnswer).session.sessionId;
}

async function roles(rest: Rest): Promise<string> {
  const { logs } = await rest.read<{ readonly logs: readonly { readonly role: string }[] }>('/logs');
  return logs.map(({ role }) => role).join();
}

/** How many requests on the bus a gateway has answered. */
async function answeredBy(rest: Rest): Promise<number> {
  const { body } = await rest.request('GET', `${rest.url}/metrics`);
  return Number(/muster_bus_requests_total\{outcome="answered"\} (\d+)/.exec(String(body))?.[1] ?? 0);
}

test('a repeated key gets the first answer from whichever gateway is given it', async (t) => {
  const { nats, first, second, caller } = await twoGateways(t);
  const answers: string[] = [];
  await until(
    'both asked',
    async () => {
      answers.push(await ask({ caller, key: 'the-one' }));
      return Math.min(await answeredBy(first.rest), await answeredBy(second.rest));
    },
    (least) => least > 1,
  );
  t.is(new Set(answers).size, 1);
  const { requested } = sessionsIn((await recorded(createJetStreamLog({ bus: await nats.connect('log') }))).events);
  t.deepEqual(requested, answers.slice(0, 1));
});

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`1,000 requests over two gateways of which the leading one ends by ${signal}: each is done once`, async (t) => {
    const { nats, first, second, caller } = await twoGateways(t);
    t.is(await roles(first.rest), 'leading,leading');
    const acknowledged: string[] = [];
    let silences = 0;
    const onSilence = () => {
      silences += 1;
    };
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let request = 0; request < REQUESTS_EACH; request += 1) {
        acknowledged.push(await ask({ caller, key: `client-${client}-${request}`, onSilence }));
      }
    });
    await until(
      'the first answers',
      async () => acknowledged.length,
      (count) => count >= 300,
    );
    t.true((await answeredBy(first.rest)) > 0 && (await answeredBy(second.rest)) > 0);
    await first.kill(signal);
    t.log(`${acknowledged.length} were answered before the end`);
    await Promise.all(clients);
    t.log(`${silences} had to be asked again`);
    if (signal === 'SIGTERM') t.is(silences, 0, 'whoever stops answers what it has');
    const { requested } = sessionsIn((await recorded(createJetStreamLog({ bus: await nats.connect('log') }))).events);
    t.is(acknowledged.length, CLIENTS * REQUESTS_EACH);
    t.is(new Set(acknowledged).size, acknowledged.length);
    t.deepEqual(requested.toSorted(), acknowledged.toSorted());
  });
}
