import { Agent } from 'node:http';
import { until } from '../test/support/until.ts';
import { checkInsCounted } from './checkIns.ts';
import { startFleet, type FleetManner } from './fleet.ts';
import { startGatewayProcess } from './gatewayProcess.ts';
import { startReferenceNats } from './loadedBus.ts';
import { expectAnswer } from './plainClient.ts';
import { latencies, rawLog } from './raw.ts';
import { REFERENCE, type ReferenceOptions } from './referenceLog.ts';
import { median, quantile, row, type Report, type Row } from './report.ts';

const PER_RUN = 150;
/**
 * A gateway that has just started is slower, until its code is compiled; but with too many sessions on one agent its
 * document and its check-ins would be what is measured.
 */
const WARM_UP = 2_000;
const WARM_UP_PER_AGENT = 25;
/** About what a commit of one placed session weighs: the request with its image, and the placement. */
const COMMIT_BYTES = 1_600;
const FEW = { agents: 20, sessions: 100, events: 2_000 } as const;
const SITUATIONS: readonly (readonly [ReferenceOptions, FleetManner])[] = [
  [FEW, 'starts'],
  [REFERENCE, 'waits'],
  [REFERENCE, 'starts'],
];

/**
 * `POST /sessions` to the answer "placed", one after another over HTTP, on a gateway process whose agents check in every
 * ten seconds, against the acknowledgement of a raw publish of such a commit. Runs alternate;
 * per run the quantile, of the runs the median.
 */
export async function benchRequest({ runs }: { readonly runs: number }): Promise<Report> {
  const rows: Row[] = [];
  for (const [size, manner] of SITUATIONS) rows.push(...(await requestsOn(size, manner, runs)));
  return {
    rows,
    notes: [
      'POST /sessions: all agents are one process, beside gateway, bus and this client on the same cores',
      'where all of them start what they are told, each request meets the commit in which the one before is seen running',
    ],
  };
}

async function requestsOn(size: ReferenceOptions, manner: FleetManner, runs: number): Promise<readonly Row[]> {
  const nats = await startReferenceNats(size);
  const gateway = await startGatewayProcess(nats);
  const fleet = await startFleet(nats, size.agents, manner);
  const { rest } = gateway;
  // A word of everybody, so that nobody is taken to be silent. The list of agents would be much to ask for again and again.
  await until(
    'as many check-ins as agents',
    () => checkInsCounted(rest),
    (count) => count >= size.agents,
  );
  const client = new Agent({ keepAlive: true });
  const raw = await rawLog(await nats.connect('log'), 'raw');
  const bytes = Buffer.alloc(COMMIT_BYTES, 'x');
  const body = JSON.stringify({ imageId: 'small' });
  const post = () => expectAnswer(client, `${rest.url}/api/v1/sessions`, 'POST', 201, body);
  const health = () => expectAnswer(client, `${rest.url}/healthz`, 'GET', 200);
  await latencies(Math.min(WARM_UP, WARM_UP_PER_AGENT * size.agents), post);
  const posts: (readonly number[])[] = [];
  const healths: (readonly number[])[] = [];
  const acks: (readonly number[])[] = [];
  for (let run = 0; run < runs; run += 1) {
    acks.push(await latencies(PER_RUN, () => raw.append(bytes)));
    healths.push(await latencies(PER_RUN, health));
    posts.push(await latencies(PER_RUN, post));
  }
  // A fleet that was only thought to start them would have been no load.
  const placed = async () => (await rest.sessions()).filter(({ phase }) => phase === 'placed').length;
  if (manner === 'starts') await until('every session started', placed, (count) => count === 0);
  client.destroy();
  raw.close();
  await fleet.stop();
  await gateway.stop();
  await nats.stop();
  const at = (share: number, samples: readonly (readonly number[])[]) =>
    median(samples.map((run) => quantile(run, share)));
  const starting = manner === 'starts' ? 'all start it' : 'none starts it';
  const on = `${size.agents.toLocaleString('en')} agents, ${starting}`;
  return [0.5, 0.99].flatMap((share) => [
    row(`POST /sessions to placed, ${on}, p${share * 100}`, 'ms', at(share, posts), at(share, acks)),
    row(`GET /healthz, what HTTP alone takes, ${on}, p${share * 100}`, 'ms', at(share, healths), at(share, acks)),
  ]);
}
