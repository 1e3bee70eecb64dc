import { connectBus, type Bus, type BusOptions } from '../infra/bus/connect.ts';
import { agentBusOptions } from '../agent/bus.ts';
import { agentPassword, newAgentSecret } from '../infra/agentIdentity.ts';
import { APP_PASSWORD, startNats } from '../test/support/nats.ts';
import { startGatewayProcess } from './gatewayProcess.ts';
import { latencies } from './raw.ts';
import { median, quantile, row, type Report } from './report.ts';

const PER_RUN = 300;
const FLEET = 200;

/**
 * An agent that enters the bus by a gateway's leave, from the connection to the greeting, against a user whose password stands in
 * the configuration of the server: one after another, and a whole fleet at once. Runs alternate; per run the quantile, of the runs
 * the median.
 */
export async function benchEntries({ runs }: { readonly runs: number }): Promise<Report> {
  const nats = await startNats();
  const gateway = await startGatewayProcess(nats);
  const { rest } = gateway;
  const { body } = await rest.request('POST', '/manager-tokens', { body: {} });
  const { text: token } = body as { readonly text: string };
  const agents = Array.from({ length: FLEET }, (_, index) => agentOptions(nats.url, `agent-${index}`, token));
  for (const options of agents) {
    await enter(options);
    await rest.request('POST', `/agents/${options.user}/approve`, { body: {} });
  }
  const [first] = agents;
  if (first === undefined) throw new Error('there is no agent');
  const raw = { url: nats.url, user: 'muster-app', password: APP_PASSWORD, name: 'raw' };

  const one: Samples = { muster: [], raw: [] };
  const all: Samples = { muster: [], raw: [] };
  for (let run = 0; run < runs; run += 1) {
    one.raw.push(await latencies(PER_RUN, () => enter(raw)));
    one.muster.push(await latencies(PER_RUN, () => enter(first)));
    all.raw.push([await together(agents.map(() => raw))]);
    all.muster.push([await together(agents)]);
  }
  await gateway.stop();
  await nats.stop();
  return {
    rows: [
      compared('an agent enters the bus, p50', one, 0.5),
      compared('an agent enters the bus, p99', one, 0.99),
      compared(`${FLEET} agents enter at once`, all, 0.5),
    ],
    notes: [
      'entering the bus: clients, gateway and bus on the same cores; raw is a password in the configuration of the server',
    ],
  };
}

interface Samples {
  readonly muster: (readonly number[])[];
  readonly raw: (readonly number[])[];
}

function compared(what: string, { muster, raw }: Samples, share: number) {
  const at = (samples: readonly (readonly number[])[]) => median(samples.map((run) => quantile(run, share)));
  return row(what, 'ms', at(muster), at(raw));
}

function agentOptions(url: string, agentId: string, token: string): Omit<BusOptions, 'signal'> {
  const secret = newAgentSecret();
  const host = { hostname: agentId, simulated: false };
  return agentBusOptions({ url }, agentId, host, { password: () => agentPassword(token, secret) });
}

async function enter(options: Omit<BusOptions, 'signal'>): Promise<void> {
  const bus = await connectBus(options);
  await bus.close();
}

/** Milliseconds until the last of them is in. */
async function together(all: readonly Omit<BusOptions, 'signal'>[]): Promise<number> {
  const begun = performance.now();
  const buses: readonly Bus[] = await Promise.all(all.map((options) => connectBus(options)));
  const took = performance.now() - begun;
  await Promise.all(buses.map((bus) => bus.close()));
  return took;
}
