import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { NatsConnection } from 'nats';
import { commandSubject, querySubject } from '../infra/names.ts';
import { connectAsKey, issueKey } from '../test/support/busCaller.ts';
import { startNats, type TestNats } from '../test/support/nats.ts';
import { startGatewayProcess } from './gatewayProcess.ts';
import { latencies, timed } from './raw.ts';
import { median, quantile, row, type Report, type Row } from './report.ts';

const PER_RUN = 500;
const WARM_UP = 2_000;
/** At a time, as many as a gateway lets one key have under way, and a few less. */
const AT_ONCE = 24;
const TIMEOUT_MS = 10_000;
const RAW_SUBJECT = 'bench.echo';

interface Asking {
  readonly what: string;
  readonly ask: () => Promise<void>;
}

/**
 * A query and a command on the bus, to a gateway process, against a request to a process whose handler does nothing and answers
 * as many bytes. One after another for the quantiles, and many at a time for the rate. Runs alternate; per run the quantile or the rate,
 * of the runs the median. The command is refused, since there is no agent; that is recorded all the same.
 */
export async function benchServices({ runs }: { readonly runs: number }): Promise<Report> {
  const nats = await startNats();
  const gateway = await startGatewayProcess(nats);
  await gateway.rest.defineImage('one');
  const key = await issueKey(gateway.rest, 'operator');
  const connection = await connectAsKey(nats.url, key);
  // A key may ask nobody but gateways.
  const { connection: plain } = await nats.connect('app');
  const query = querySubject(key.keyId, 'image');
  const command = commandSubject(key.keyId, 'default', 'RequestSession');
  const askings: readonly (readonly [string, string, string, string | null])[] = [
    ['query image', query, '{"imageId":"one"}', null],
    ['RequestSession, refused', command, '{"imageId":"one","whenFull":"fail"}', 'SESSION_REFUSED'],
  ];
  const rows: Row[] = [];
  for (const [what, subject, body, code] of askings) {
    const bytes = (await asked(connection, subject, body, code)).length;
    const echo = await startEcho(nats, bytes);
    const muster = { what, ask: async () => void (await asked(connection, subject, body, code)) };
    const raw = { what, ask: async () => void (await asked(plain, RAW_SUBJECT, body, null)) };
    rows.push(...(await compared(muster, raw, runs)));
    await echo.stop();
  }
  await connection.close();
  await gateway.stop();
  await nats.stop();
  return { rows, notes: ['services: client, bus, gateway and the raw handler are processes on the same cores'] };
}

async function compared(muster: Asking, raw: Asking, runs: number): Promise<readonly Row[]> {
  const [ours, theirs] = [emptySamples(), emptySamples()];
  await latencies(WARM_UP, muster.ask);
  await latencies(WARM_UP, raw.ask);
  for (let run = 0; run < runs; run += 1) {
    await sample(theirs, raw);
    await sample(ours, muster);
  }
  const at = (share: number) =>
    row(
      `${muster.what}, p${share * 100}`,
      'ms',
      median(ours.latencies.map((each) => quantile(each, share))),
      median(theirs.latencies.map((each) => quantile(each, share))),
    );
  const rate = row(`${muster.what}, ${AT_ONCE} at a time`, 'requests/s', median(ours.rates), median(theirs.rates));
  return [at(0.5), at(0.99), rate];
}

interface Samples {
  readonly latencies: (readonly number[])[];
  readonly rates: number[];
}

function emptySamples(): Samples {
  return { latencies: [], rates: [] };
}

async function sample(into: Samples, { ask }: Asking): Promise<void> {
  into.latencies.push(await latencies(PER_RUN, ask));
  const clients = () => Promise.all(Array.from({ length: AT_ONCE }, () => latencies(PER_RUN / 4, ask)));
  const ms = await timed(async () => void (await clients()));
  into.rates.push((AT_ONCE * (PER_RUN / 4) * 1000) / ms);
}

/** The body of the answer, which must be the one that is expected: `code` null is none of a problem. */
async function asked(
  connection: NatsConnection,
  subject: string,
  body: string,
  code: string | null,
): Promise<Uint8Array> {
  const answer = await connection.request(subject, body, { timeout: TIMEOUT_MS });
  const said = answer.headers?.get('Nats-Service-Error') ?? '';
  if (said !== (code ?? '')) throw new Error(`${subject} was answered ${said === '' ? 'well' : said}`);
  return answer.data;
}

interface Echo {
  readonly stop: () => Promise<void>;
}

async function startEcho(nats: TestNats, bytes: number): Promise<Echo> {
  const child = fork(join(import.meta.dirname, 'echoProcess.ts'), [nats.url, RAW_SUBJECT, String(bytes)]);
  const exited = once(child, 'exit');
  await once(child, 'message');
  return {
    async stop() {
      child.disconnect();
      await exited;
    },
  };
}
