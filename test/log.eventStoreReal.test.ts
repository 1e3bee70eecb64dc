import test, { type ExecutionContext } from 'ava';
import { eventLogContract } from './contracts/eventLog.ts';
import type { LogHarness, Register } from './contracts/logHarness.ts';
import {
  ESDB_IMAGE,
  NoEventStoreImage,
  startEventStoreContainer,
  type EventStoreContainer,
} from './support/eventStoreContainer.ts';
import { eventStoreHarness } from './support/eventStoreHarness.ts';

/**
 * The contract of an event log on the real EventStoreDB: in a container, where its image can be had, and on any server that
 * MUSTER_TEST_ESDB_URL names. Each test has streams of its own, so that such a server keeps everything else.
 */
const SERVER_URL = process.env['MUSTER_TEST_ESDB_URL'];

const container = await containerOrReason();
if (typeof container === 'string') notTested(`the event log on ${ESDB_IMAGE}`, container);
else {
  test.after.always(async () => await container.stop());
  eventLogContract(titled(ESDB_IMAGE), (t) => harness(t, container.url, () => container.restart()));
}

if (SERVER_URL === undefined) notTested('the event log on a server of your own', 'MUSTER_TEST_ESDB_URL names none');
else eventLogContract(titled('your own server'), (t) => harness(t, SERVER_URL, async () => {}));

async function containerOrReason(): Promise<EventStoreContainer | string> {
  try {
    return await startEventStoreContainer((line) => process.stderr.write(`${line}\n`));
  } catch (error) {
    if (error instanceof NoEventStoreImage) return error.message;
    throw error;
  }
}

/** Loud, and no failure: the same contract holds on the tests' own server, which was written from documentation. */
function notTested(what: string, reason: string): void {
  test(`${what}, where there is one`, (t) => {
    t.log(`NOT TESTED: ${what}: ${reason}`);
    t.pass();
  });
}

/** The contract's own titles, told apart by where they hold. */
function titled(where: string): Register {
  return (title, implementation) => test.serial(`${where}: ${title}`, implementation);
}

async function harness(t: ExecutionContext, url: string, disturb: () => Promise<void>): Promise<LogHarness> {
  return eventStoreHarness(t, url, disturb, `muster-test-${crypto.randomUUID()}-`);
}
