import { setTimeout as pause } from 'node:timers/promises';
import { startNats, type TestNats } from '../test/support/nats.ts';
import { until } from '../test/support/until.ts';
import { checkInsCounted, publishOnce, stateOf } from './checkIns.ts';
import { startFleet } from './fleet.ts';
import { startGatewayProcess, type GatewayProcess } from './gatewayProcess.ts';
import { startReferenceNats } from './loadedBus.ts';
import { REFERENCE, type ReferenceOptions } from './referenceLog.ts';
import { row, type Report, type Row } from './report.ts';

/** The same agents without a session, and with as little history as that takes. */
const IDLE: ReferenceOptions = { agents: REFERENCE.agents, sessions: 0, events: REFERENCE.agents * 4 };
/** What a start leaves over is handed back bit by bit. */
const SETTLE_MS = 300;
const LOOKS = 8;

/** Bytes of a gateway process: as the system counts them, and what of them is alive on its heap and in buffers. */
interface Held {
  readonly resident: number;
  readonly live: number;
}

/**
 * What a gateway keeps of each agent and of each live session: the difference between gateways without agents, with 1,000
 * idle ones, and with 5,000 sessions on them, before and after every agent has checked in once. And what one holds after
 * `minutes` of 1,000 agents that check in every ten seconds, which must not grow. All after a collection.
 */
export async function benchMemory({ minutes }: { readonly minutes: number }): Promise<Report> {
  const none = await heldOn(await startNats(), null);
  const idle = await heldOn(await startReferenceNats(IDLE), IDLE);
  const busy = await heldOn(await startReferenceNats(REFERENCE), REFERENCE);
  const after = await heldAfter(minutes);
  const perAgent = (what: keyof Held) => (idle.heard[what] - none.heard[what]) / REFERENCE.agents / 1000;
  const perSession = (what: keyof Held) => (busy.heard[what] - idle.heard[what]) / REFERENCE.sessions / 1000;
  const fromCheckIns = (idle.heard.live - idle.quiet.live) / REFERENCE.agents / 1000;
  return {
    rows: [
      row('memory of a gateway without agents, resident', 'MB', none.heard.resident / 1e6, null),
      row('memory per agent, resident', 'KB', perAgent('resident'), null),
      row('  of that alive', 'KB', perAgent('live'), null),
      row('  of that from check-ins', 'KB', fromCheckIns, null),
      row('memory per live session, resident', 'KB', perSession('resident'), null),
      row('  of that alive', 'KB', perSession('live'), null),
      ...after,
    ],
    notes: [
      'memory: all after a collection; what is resident counts what the start left over as well. With the sessions come their share of the newest check-ins, and the commands remembered from their past',
    ],
  };
}

/** A gateway's memory when it leads, and when it has heard all of its agents. */
async function heldOn(
  nats: TestNats,
  options: ReferenceOptions | null,
): Promise<{ readonly quiet: Held; readonly heard: Held }> {
  const gateway = await startGatewayProcess(nats);
  const quiet = await settled(gateway);
  if (options !== null) await publishOnce(nats, gateway.rest, await stateOf(options));
  const heard = await settled(gateway);
  await gateway.stop();
  await nats.stop();
  return { quiet, heard };
}

/** A gateway with agents that check in, once each has, and after so many minutes. */
async function heldAfter(minutes: number): Promise<readonly Row[]> {
  const nats = await startReferenceNats(REFERENCE);
  const gateway = await startGatewayProcess(nats);
  const fleet = await startFleet(nats, REFERENCE.agents, 'waits');
  const heard = () => checkInsCounted(gateway.rest);
  await until('as many check-ins as agents', heard, (count) => count >= REFERENCE.agents);
  const begin = await settled(gateway);
  await pause(minutes * 60_000);
  const end = await settled(gateway);
  await fleet.stop();
  await gateway.stop();
  await nats.stop();
  const agents = REFERENCE.agents.toLocaleString('en');
  return [
    row(`memory of a gateway that ${agents} agents check in to, alive`, 'MB', begin.live / 1e6, null),
    row(`  after ${minutes} minutes of that`, 'MB', end.live / 1e6, null),
    row('  resident at first', 'MB', begin.resident / 1e6, null),
    row(`  after ${minutes} minutes of that`, 'MB', end.resident / 1e6, null),
  ];
}

/** The least of a few looks. */
async function settled({ memory }: GatewayProcess): Promise<Held> {
  let least: Held = { resident: Infinity, live: Infinity };
  for (let looks = 0; looks < LOOKS; looks += 1) {
    await pause(SETTLE_MS);
    const { resident, live } = await memory();
    least = { resident: Math.min(least.resident, resident), live: Math.min(least.live, live) };
  }
  return least;
}
