import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestNats } from '../test/support/nats.ts';

/** Whether agents start what they are told, at once, or do nothing but check in. */
export type FleetManner = 'starts' | 'waits';

export interface Fleet {
  readonly stop: () => Promise<void>;
}

/** Starts a fleet's agents in one process of their own, on a bus that has the stream of desired documents. */
export async function startFleet(nats: TestNats, agents: number, manner: FleetManner): Promise<Fleet> {
  const child = fork(join(import.meta.dirname, 'fleetProcess.ts'), [nats.url, String(agents), manner]);
  const exited = once(child, 'exit');
  await once(child, 'message');
  return {
    async stop() {
      child.disconnect();
      await exited;
    },
  };
}
