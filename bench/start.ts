import { setTimeout as pause } from 'node:timers/promises';
import type Docker from 'dockerode';
import { containerOptions } from '../agent/engine/containerOptions.ts';
import { DEAD_END_NETWORK } from '../agent/engine/networks.ts';
import type { SessionView } from '../projections/views.ts';
import { specOf } from '../test/support/desired.ts';
import { SLEEPER_IMAGE } from '../test/support/engineImages.ts';
import type { Rest } from '../test/support/gateway.ts';
import { startHost } from './hostUnderTest.ts';
import { timed } from './raw.ts';
import { median, quantile, row, type Report, type Row } from './report.ts';

const PER_RUN = 20;
const WARM_UP = 5;
/** How often a client asks for the session that it waits for. */
const LOOK_MS = 5;
/** Sessions that run on the host meanwhile. */
const NEIGHBOURS = [0, 30];
const IMAGE = { reference: SLEEPER_IMAGE, cores: 0.01, memory: '16MiB' };

/**
 * From `POST /sessions` until the session is shown running, as a client sees it, with the image present: gateway, bus,
 * agent and engine are real. Beside it the engine alone: the same container created, joined to the second network and
 * started by its API. Both alternate; per run the quantile, of the runs the median.
 */
export async function benchStart({ runs }: { readonly runs: number }): Promise<Report> {
  const host = await startHost();
  const { rest } = host.gateway;
  await rest.defineImage('sleeper', IMAGE);
  const rows: Row[] = [];
  let running = 0;
  for (const neighbours of NEIGHBOURS) {
    for (; running < neighbours; running += 1) await startOne(rest);
    for (let count = 0; count < WARM_UP; count += 1) await throughMuster(rest);
    const [muster, raw]: [number[][], number[][]] = [[], []];
    for (let run = 0; run < runs; run += 1) {
      const [through, direct]: [number[], number[]] = [[], []];
      for (let count = 0; count < PER_RUN; count += 1) {
        direct.push(await byEngineAlone(host.docker));
        through.push(await throughMuster(rest));
      }
      muster.push(through);
      raw.push(direct);
    }
    for (const share of [0.5, 0.95]) {
      const at = (samples: readonly number[][]) => median(samples.map((samplesOfRun) => quantile(samplesOfRun, share)));
      const what = `POST /sessions to running, ${neighbours} others on the host, p${share * 100}`;
      rows.push(row(what, 'ms', at(muster), at(raw)));
    }
  }
  await host.stop();
  return {
    rows,
    notes: ['start: the raw limit is create, join of the second network and start, by the API of the engine'],
  };
}

/** Milliseconds to running. The session is stopped and gone afterwards. */
async function throughMuster(rest: Rest): Promise<number> {
  let sessionId = '';
  const ms = await timed(async () => {
    sessionId = await startOne(rest);
  });
  await rest.request('DELETE', `/sessions/${sessionId}`);
  await untilPhase(rest, sessionId, 'ended');
  return ms;
}

/** Requests a session and waits until it is shown running. */
export async function startOne(rest: Rest): Promise<string> {
  const { status, body } = await rest.request('POST', '/sessions', { body: { imageId: 'sleeper' } });
  if (status !== 201) throw new Error(`POST /sessions: ${status} ${JSON.stringify(body)}`);
  const { sessionId } = (body as { readonly session: SessionView }).session;
  await untilPhase(rest, sessionId, 'running');
  return sessionId;
}

async function untilPhase(rest: Rest, sessionId: string, phase: SessionView['phase']): Promise<void> {
  for (;;) {
    const session = await rest.read<SessionView>(`/sessions/${sessionId}`);
    if (session.phase === phase) return;
    if (session.phase === 'ended') throw new Error(`${sessionId} ended: ${session.cause ?? ''}`);
    await pause(LOOK_MS);
  }
}

let made = 0;

async function byEngineAlone(docker: Docker): Promise<number> {
  made += 1;
  const spec = { ...specOf(`raw-${made}`, 'log-raw'), memoryBytes: 16 * 1024 ** 2, millicores: 10 };
  let container: Docker.Container | undefined;
  const ms = await timed(async () => {
    container = await docker.createContainer(containerOptions(spec));
    await docker.getNetwork(DEAD_END_NETWORK).connect({ Container: container.id });
    await container.start();
  });
  await container?.remove({ force: true, v: true });
  return ms;
}
