import type { AnyFact } from '../domain/events.ts';
import type { FleetCommand } from '../domain/fleet/commands.ts';
import type { ImageDefinition } from '../domain/images/image.ts';
import { Controller } from '../gateway/controller/controller.ts';
import { fleetMachine } from '../gateway/controller/fleetMachine.ts';
import { LogFold, type FoldRules, type Projection } from '../gateway/controller/logFold.ts';
import type { Machine, Submission } from '../gateway/controller/machine.ts';
import { zoneMachine } from '../gateway/controller/zoneMachine.ts';
import { fleetRules, zoneRules } from '../gateway/core/foldRules.ts';
import { createMemoryLog, type MemoryStore } from '../infra/log/memory.ts';
import { FLEET_LOG, zoneLog, type LogName, type StoredCommit } from '../infra/log/port.ts';
import { manualClock, type ManualClock } from '../test/support/manualClock.ts';
import { seededRandom } from '../test/simulation/random.ts';
import { cachedCommits } from './commitCache.ts';
import { FleetLife } from './fleetLife.ts';
import { GIB, agentIdOf } from './hosts.ts';

export const REFERENCE_LOG = zoneLog('default');
export const REFERENCE_LOG_ID = 'reference';
/** What the other figures stand on: a zone of this size that has lived for a while. */
export const REFERENCE = { agents: 1_000, sessions: 5_000, events: 60_000 } as const;
/** The same zone, much later. */
export const LONG_REFERENCE = { ...REFERENCE, events: 1_000_000 } as const;

export interface ReferenceOptions {
  readonly agents: number;
  /** Live ones, once the fleet has filled up. */
  readonly sessions: number;
  /** It ends with the first commit that reaches so many. */
  readonly events: number;
}

const SEED = 20_260_101;
const STARTS_AT = Date.UTC(2026, 0, 1);
const JOIN_AT_ONCE = 64;
const TOLD_EVERY = 200_000;
/** Its boot, its hardware, and that it is there. */
const FIRST_WORD_EVENTS = 3;

/**
 * A zone's log, byte for byte the same for the same code: the real controller decides what a fleet's life brings, on the
 * in-memory log and a clock of its own. A longer one begins with the shorter. Commits hold 2 to 16 events, but for those
 * in which the agents join.
 */
export async function referenceLog(options: ReferenceOptions): Promise<readonly Uint8Array[]> {
  const { agents, sessions, events } = options;
  const name = `zone-${agents}-${sessions}-${events}`;
  return await cachedCommits(name, options, async () => {
    process.stderr.write(`  making a log of ${events.toLocaleString('en')} events, once …\n`);
    return await live(options);
  });
}

async function live({ agents, sessions, events }: ReferenceOptions): Promise<readonly Uint8Array[]> {
  const clock = manualClock(STARTS_AT);
  const random = seededRandom(SEED);
  const rules = zoneRules('default');
  const written = { events: 0 };
  const { fold, submit, finish } = writeLog({
    log: REFERENCE_LOG,
    machine: zoneMachine,
    rules,
    clock,
    onCommit: ({ commit }) => {
      rules.forgetTouched(fold.view);
      life.saw(commit);
      const before = written.events;
      written.events += commit.events.length;
      if (Math.floor(before / TOLD_EVERY) < Math.floor(written.events / TOLD_EVERY)) tell(written.events, events);
    },
  });
  const state = () => fold.state;
  const life = new FleetLife({ random, state, logId: REFERENCE_LOG_ID, agents, sessions, name: 'r' });
  for (let index = 0; index < agents; index += JOIN_AT_ONCE) {
    const places = Array.from({ length: Math.min(JOIN_AT_ONCE, agents - index) }, (_, place) => index + place);
    await submit(places.map((place) => life.joins(place)));
    const first = life.batch(places.length * FIRST_WORD_EVENTS);
    await submit(first.submissions);
    first.answered();
  }
  while (written.events < events) {
    clock.jump(random.int(1_000, 9_000));
    const batch = life.batch(random.int(2, 16));
    await submit(batch.submissions);
    batch.answered();
  }
  return await finish();
}

/** The fleet's own log to it: every agent is enrolled and approved, and there is one image. */
export async function fleetLogFor(agents: number): Promise<readonly Uint8Array[]> {
  const clock = manualClock(STARTS_AT);
  const { submit, finish } = writeLog({
    log: FLEET_LOG,
    machine: fleetMachine(['registry.fleet.example']),
    rules: fleetRules,
    clock,
  });
  const ask = (key: string, command: FleetCommand) =>
    submit([{ key, recorded: false, actor: { kind: 'system', id: 'muster' }, command }]);
  await ask('image', { type: 'DefineImage', image: SMALL, ifRevision: null });
  for (let index = 0; index < agents; index += 1) {
    const agentId = agentIdOf(index);
    const hostname = `${agentId}.fleet.example`;
    await ask(`enrol:${agentId}`, {
      type: 'EnrolAgent',
      agentId,
      hostname,
      simulated: false,
      fingerprint: null,
      expected: false,
    });
    await ask(`approve:${agentId}`, { type: 'ApproveAgent', agentId, zone: 'default', fingerprint: null });
  }
  return await finish();
}

interface WrittenLog<State, Command, View extends Projection<State>> {
  readonly fold: LogFold<State, View>;
  /** At once, and so one commit, where a commit holds so much. */
  readonly submit: (submissions: readonly Submission<Command>[]) => Promise<void>;
  /** All commits. */
  readonly finish: () => Promise<readonly Uint8Array[]>;
}

/** A real controller on a log in memory. Nobody else writes there, and it must accept everything that it is asked. */
function writeLog<State, Command, Fact extends AnyFact, View extends Projection<State>>(options: {
  readonly log: LogName;
  readonly machine: Machine<State, Command, Fact>;
  readonly rules: FoldRules<State, View>;
  readonly clock: ManualClock;
  readonly onCommit?: (stored: StoredCommit) => void;
}): WrittenLog<State, Command, View> {
  const store: MemoryStore = new Map();
  const eventLog = createMemoryLog(store);
  const fold = new LogFold<State, View>({ ...options, eventLog });
  const controller = new Controller<State, Command, Fact>({
    ...options,
    eventLog,
    fold,
    newLogId: () => REFERENCE_LOG_ID,
    mayWrite: async () => {},
    remedy: '',
    onTrouble: (sentence, cause) => {
      throw new Error(sentence, { cause });
    },
  });
  const running = controller.run();
  return {
    fold,
    async submit(submissions) {
      const answers = await Promise.all(submissions.map((submission) => controller.submit(submission)));
      for (const answer of answers) if (answer.kind === 'rejected') throw new Error(answer.rejection.message);
    },
    async finish() {
      controller.stop();
      await running;
      return store.get(options.log) ?? [];
    },
  };
}

function tell(written: number, events: number): void {
  process.stderr.write(`  ${written.toLocaleString('en')} of ${events.toLocaleString('en')} events\n`);
}

/** What the sessions of the measurements are started from. */
const SMALL: ImageDefinition = {
  name: 'Small',
  imageId: 'small',
  revision: 1,
  reference: 'registry.fleet.example/desktops/ubuntu:24.04-2026.1',
  digest: null,
  millicores: 250,
  memoryBytes: GIB / 4,
  cpuMode: 'shares',
  gpu: { kind: 'none' },
  gpuModel: null,
  gpuMemoryBytes: null,
  includeLabels: [],
  excludeLabels: [],
  ports: [{ containerPort: 6901, protocol: 'tcp' }],
  shmBytes: null,
  environment: { LANG: 'en_US.UTF-8' },
  command: null,
};
