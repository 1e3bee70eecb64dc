import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeAgent } from '../test/support/fakeAgent.ts';
import { gatewayEnvironment, restOf, untilOnline } from '../test/support/gateway.ts';
import type { TestNats } from '../test/support/nats.ts';
import { latencies, rawLog } from './raw.ts';
import { median, quantile, row, type Row } from './report.ts';

const PER_RUN = 100;
const AGENTS = 20;
/** About what a commit of one placed session weighs: the request with its image, and the placement. */
const COMMIT_BYTES = 1_600;

/**
 * `POST /sessions` to the answer "placed", one after another over HTTP on a gateway process with 20 agents that start
 * what they are told, against the acknowledgement of a raw publish of such a commit. Runs alternate; per run the
 * quantile, of the runs the median.
 */
export async function benchRequest(nats: TestNats, { runs }: { readonly runs: number }): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-bench-'));
  const environment = await gatewayEnvironment(nats, folder);
  const gateway = fork(join(import.meta.dirname, '../gateway/main.ts'), [], {
    env: { ...process.env, ...environment },
  });
  await once(gateway, 'message');
  const rest = restOf(`http://${environment['MUSTER_HTTP'] ?? ''}`);
  const bus = await nats.connect('app');
  const agents = Array.from({ length: AGENTS }, (_, index) =>
    startFakeAgent(bus, { agentId: `agent-${index}`, cores: 256, memoryGib: 1024 }),
  );
  for (const { agentId } of agents) await untilOnline(rest, agentId);
  await rest.defineImage('small', { cores: 1, memory: '1GiB' });
  const raw = await rawLog(await nats.connect('log'), 'raw-request');
  const bytes = Buffer.alloc(COMMIT_BYTES, 'x');
  const post = async () => {
    const { status } = await rest.request('POST', '/sessions', { body: { imageId: 'small' } });
    if (status !== 201) throw new Error(`POST /sessions answered ${status}`);
  };
  const health = async () => {
    await (await fetch(`${rest.url}/healthz`)).text();
  };
  await latencies(PER_RUN, post);
  const posts: (readonly number[])[] = [];
  const healths: (readonly number[])[] = [];
  const acks: (readonly number[])[] = [];
  for (let run = 0; run < runs; run += 1) {
    acks.push(await latencies(PER_RUN, () => raw(bytes)));
    healths.push(await latencies(PER_RUN, health));
    posts.push(await latencies(PER_RUN, post));
  }
  for (const agent of agents) agent.stop();
  gateway.kill('SIGTERM');
  await once(gateway, 'exit');
  await rm(folder, { recursive: true, force: true });
  const at = (share: number, runsOfSamples: readonly (readonly number[])[]) =>
    median(runsOfSamples.map((samples) => quantile(samples, share)));
  return [0.5, 0.99].flatMap((share) => [
    row(`POST /sessions to placed, p${share * 100}`, 'ms', at(share, posts), at(share, acks)),
    row(`GET /healthz, what HTTP alone takes, p${share * 100}`, 'ms', at(share, healths), at(share, acks)),
  ]);
}
