import type { Usage } from '../domain/checkIn.ts';
import type { DesiredDocument } from '../domain/desired.ts';
import { BusError } from '../infra/bus/errors.ts';
import { acceptDocument, noteApplied, settleLedger } from './ledger.ts';
import { LedgerKeeper } from './ledgerKeeper.ts';
import { EngineWatch, type EngineLook } from './observe/engine.ts';
import { ImageWatch } from './observe/images.ts';
import { OutputDesk } from './outputDesk.ts';
import type { AgentPorts, AgentSettings } from './ports.ts';
import { PruneTask, recordsToTell } from './prune/task.ts';
import { reconcile } from './reconcile.ts';
import { appliedVersion, report, type Basis } from './report.ts';
import { Speaker, type Standing } from './speaker.ts';
import { Wake } from '../infra/wake.ts';
import { Work } from './work.ts';

/** How long the start waits for the bus to hand over the document before it goes on with the one on disk. */
const FIRST_READ_MS = 2000;
const READ_AGAIN_MS = 60_000;
const READ_FAILED_MS = 5000;
/** While the engine is down, or the bus away, the next try comes sooner than the next check-in. */
const ENGINE_RETRY_MS = 2000;
const BUS_RETRY_MS = 1000;
/** Changes within this time are told in one check-in. */
const COALESCE_MS = 100;
const FINISH_MS = 5000;

/**
 * Runs an agent until `signal` aborts: it obeys the newest document, whether the bus is there or not, and says what it
 * sees at every interval and at every change. Everything outside is a port, so the simulation runs this very code.
 * Sessions keep running when it ends. Rejects only when the agent cannot work at all (its ledger is damaged).
 */
export async function runAgent(settings: AgentSettings, ports: AgentPorts, signal: AbortSignal): Promise<void> {
  const keeper = new LedgerKeeper(ports.ledger);
  await keeper.load();
  await new AgentLoop(settings, ports, keeper, signal).run();
}

class AgentLoop {
  readonly #settings: AgentSettings;
  readonly #ports: AgentPorts;
  readonly #keeper: LedgerKeeper;
  readonly #ended = new AbortController();
  readonly #prune: PruneTask;
  readonly #work: Work;
  readonly #watch: EngineWatch;
  readonly #images: ImageWatch;
  readonly #speaker: Speaker;
  readonly #output: OutputDesk;
  readonly #act = new Wake();
  readonly #speak = new Wake();
  readonly #read = new Wake();
  readonly #measure = new Wake();
  readonly #firstRead = new AbortController();
  #basis: Basis = { document: null, containers: [], strangers: [] };
  #engine: EngineLook | null = null;
  #sessionUse: Usage['sessions'] = [];
  #unmanaged = 0;
  #pulling = false;
  #progressUntold = false;

  constructor(settings: AgentSettings, ports: AgentPorts, keeper: LedgerKeeper, signal: AbortSignal) {
    this.#settings = settings;
    this.#ports = ports;
    this.#keeper = keeper;
    this.#prune = new PruneTask(settings, ports, {
      keeper,
      signal: this.#ended.signal,
      onRecord: () => this.#pruned(),
    });
    this.#work = new Work(ports, settings, keeper, this.#prune.lane, {
      onChange: () => this.#workChanged(),
      onProgress: () => this.#pullsWentOn(),
      makeRoom: () => this.#prune.makeRoom(this.#speaker.disk),
      onTagMoved: () => this.#prune.ring(),
    });
    this.#watch = new EngineWatch(ports.engine, ports.clock);
    this.#images = new ImageWatch(ports.engine, ports.clock);
    this.#speaker = new Speaker(ports, settings);
    this.#output = new OutputDesk({
      clock: ports.clock,
      log: ports.log,
      logId: () => this.#keeper.current.document?.logId ?? null,
      read: (wanted, ended) => ports.engine.output(wanted, ended),
      answer: (callId, answer) => ports.bus.answerWithOutput(callId, answer),
    });
    if (signal.aborted) this.#ended.abort();
    else signal.addEventListener('abort', () => this.#ended.abort(), { once: true });
  }

  async run(): Promise<void> {
    this.#ports.bus.watchDesired((document) => this.#accept(document), this.#ended.signal);
    this.#ports.bus.hearOutputCalls((call) => this.#output.take(call), this.#ended.signal);
    this.#ports.bus.hearPruneCalls((call) => this.#prune.take(call), this.#ended.signal);
    const pruning = this.#prune.run(() => this.#engine?.status === 'up');
    const tasks = [this.#reading(), this.#acting(), this.#following(), this.#measuring(), this.#speaking(), pruning];
    try {
      await Promise.all(tasks);
    } finally {
      this.#ended.abort();
      this.#output.close();
      this.#prune.close();
      await Promise.allSettled(tasks);
      await this.#finish();
    }
  }

  /** Reads the document whole: at the start, every minute, and when the bus is back. Changes come by the watch besides. */
  async #reading(): Promise<void> {
    const { bus, clock, log, random } = this.#ports;
    const { signal } = this.#ended;
    let isAway = false;
    while (!signal.aborted) {
      let pause = READ_AGAIN_MS * (0.5 + random());
      try {
        const document = await bus.readDesired();
        if (document !== null) this.#accept(document);
        isAway = false;
      } catch (error) {
        // Once per outage: it may last for days, and every further try says the same.
        const why = error instanceof BusError ? { why: error.message } : { err: error };
        if (!isAway) log.info(why, 'the bus did not give the desired document; going on with the last one');
        isAway = true;
        pause = READ_FAILED_MS;
      }
      this.#firstRead.abort();
      await this.#read.wait(clock, pause, signal);
    }
  }

  #accept(document: DesiredDocument): void {
    if (document.agentId !== this.#settings.agentId) {
      this.#ports.log.warn({ agentId: document.agentId }, 'a document for another agent was ignored');
      return;
    }
    const before = this.#keeper.current;
    this.#keeper.change((ledger) => acceptDocument(ledger, document));
    if (this.#keeper.current === before) return;
    this.#prune.heedMode();
    this.#act.ring();
  }

  /** The level-triggered loop: look, settle what the ledger left open, act. */
  async #acting(): Promise<void> {
    const { clock } = this.#ports;
    const { signal } = this.#ended;
    await clock.sleep(FIRST_READ_MS, AbortSignal.any([signal, this.#firstRead.signal]));
    while (!signal.aborted) {
      await this.#step();
      const down = this.#engine?.status === 'down';
      const pause = Math.min(
        this.#settings.checkInMs,
        down ? ENGINE_RETRY_MS : Infinity,
        this.#work.msToNextHold() ?? Infinity,
      );
      await this.#act.wait(clock, pause, signal);
    }
  }

  async #step(): Promise<void> {
    const over = this.#work.overNow();
    const engine = await this.#watch.look(this.#logIds());
    this.#noteEngine(engine);
    if (engine.status === 'down') {
      this.#newsMaybe();
      return;
    }
    this.#work.settle(over);
    // A document that came during the look is obeyed with it: what could be new since the look began is in progress.
    const { document } = this.#keeper.current;
    if (document !== null && !engine.containers.has(document.logId)) return;
    const containers = document === null ? [] : (engine.containers.get(document.logId) ?? []);
    const strangers = [...engine.containers].flatMap(([logId, theirs]) =>
      logId === document?.logId ? [] : theirs.map(({ sessionId }) => ({ sessionId, logId })),
    );
    this.#basis = { document, containers, strangers };
    if (document !== null) this.#obey(document, engine, containers);
    await this.#keepLedger();
    this.#newsMaybe();
  }

  #obey(document: DesiredDocument, engine: EngineLook & { status: 'up' }, containers: Basis['containers']): void {
    const { inProgress } = this.#work;
    if (this.#ended.signal.aborted) return;
    this.#keeper.change((now) => settleLedger(now, document, containers, new Set(inProgress.keys())));
    const situation = { desired: document, containers, ledger: this.#keeper.current, inProgress };
    this.#work.launch(reconcile(situation), document, engine.facts);
    const version = appliedVersion(this.#basis, this.#keeper.current, this.#work.inProgress);
    this.#keeper.change((now) => noteApplied(now, document.logId, version));
  }

  /** The ledger is on disk before any start; this keeps the rest of it there too, and a full disk must not end the agent. */
  async #keepLedger(): Promise<void> {
    try {
      await this.#keeper.synced();
    } catch (error) {
      this.#ports.log.error({ err: error }, 'the ledger could not be written; no session is started until it can');
    }
  }

  #logIds(): readonly string[] {
    const { document, accepted } = this.#keeper.current;
    return [...new Set([...(document === null ? [] : [document.logId]), ...accepted.keys()])];
  }

  #noteEngine(engine: EngineLook): void {
    const before = this.#engine?.status;
    this.#engine = engine;
    if (before === engine.status) return;
    this.#measure.ring();
    this.#prune.ring();
    if (engine.status === 'down') this.#ports.log.warn({ detail: engine.detail }, 'the container engine is down');
    else this.#ports.log.info({ version: engine.facts.version }, 'the container engine is up');
  }

  /** Follows the engine's own events, so that a container that ends is reported at once. */
  async #following(): Promise<void> {
    const { engine, clock, log } = this.#ports;
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        for await (const _change of engine.changes(signal)) this.#act.ring();
      } catch (error) {
        // The engine went away: the next look finds out why and reports it.
        log.debug({ err: error }, 'the events of the container engine ended');
        this.#act.ring();
      }
      await clock.sleep(ENGINE_RETRY_MS, signal);
    }
  }

  /** What takes the engine longer than a check-in may wait. */
  async #measuring(): Promise<void> {
    const { engine, clock, log } = this.#ports;
    const { signal } = this.#ended;
    while (!signal.aborted) {
      if (this.#engine?.status === 'up') {
        try {
          const running = this.#basis.containers.filter((container) => container.status === 'running');
          const uses = await engine.stats(running.map((container) => container.sessionId));
          this.#sessionUse = [...uses].map(([sessionId, { millicores, memoryBytes }]) => ({
            sessionId,
            millicores,
            memoryBytes,
            gpus: [],
          }));
          this.#unmanaged = await engine.unmanaged();
          await this.#images.look();
        } catch (error) {
          this.#sessionUse = [];
          log.info({ err: error }, 'the sessions could not be measured');
        }
      }
      await this.#measure.wait(clock, this.#settings.checkInMs, signal);
    }
  }

  /** A check-in at every interval, and at once when there is news or progress; sooner again while the bus is away. */
  async #speaking(): Promise<void> {
    const { clock } = this.#ports;
    const { signal } = this.#ended;
    let connected = true;
    let next = clock.now() + this.#settings.checkInMs;
    for (;;) {
      const why = await this.#speak.wait(clock, Math.max(0, next - clock.now()), signal);
      if (why === 'aborted') return;
      const standing = this.#standing();
      if (why === 'elapsed') next = clock.now() + this.#settings.checkInMs;
      const silent = why === 'rung' && !this.#progressUntold;
      if (standing === null || (silent && !this.#speaker.isNews(standing))) continue;
      this.#progressUntold = false;
      const sent = await this.#speaker.say(standing);
      next = clock.now() + (sent ? this.#settings.checkInMs : 0);
      if (sent && !connected) this.#read.ring();
      connected = sent;
      await clock.sleep(sent ? COALESCE_MS : BUS_RETRY_MS, signal);
      this.#newsMaybe();
    }
  }

  #workChanged(): void {
    const pulling = [...this.#work.inProgress.values()].includes('pulling');
    if (this.#pulling && !pulling) this.#images.changed();
    this.#pulling = pulling;
    this.#act.ring();
    this.#newsMaybe();
  }

  /** The other images are told with the next measurement, and what became of these with the next word. */
  #pruned(): void {
    this.#images.changed();
    this.#act.ring();
    this.#newsMaybe();
  }

  /** Called once a second at most, and for each further try, so that pulls never flood the bus. */
  #pullsWentOn(): void {
    this.#progressUntold = true;
    this.#speak.ring();
  }

  #newsMaybe(): void {
    const standing = this.#standing();
    if (standing !== null && this.#speaker.isNews(standing)) this.#speak.ring();
  }

  /**
   * Null until the engine was looked at once. Of an engine that is down nothing is known, and nothing is said. A version is
   * said to be applied once that is on disk: an agent that crashed and fell back behind it could start what it withdrew.
   */
  #standing(): Standing | null {
    const engine = this.#engine;
    if (engine === null) return null;
    const ledger = this.#keeper.current;
    const { inProgress, pulls } = this.#work;
    const up = engine.status === 'up';
    const seen = up ? report(this.#basis, ledger, inProgress, pulls) : { sessions: [], orphans: [] };
    const logId = (this.#basis.document ?? ledger.document)?.logId ?? null;
    const { applied } = this.#keeper.written;
    return {
      ...seen,
      logId,
      appliedVersion: applied?.logId === logId ? applied.version : 0,
      engine,
      sessionUse: up ? this.#sessionUse : [],
      unmanagedContainers: up ? this.#unmanaged : 0,
      images: this.#images.current,
      prunes: recordsToTell(this.#keeper.written),
    };
  }

  /** Pulls end, and what has begun is seen through within its time; the ledger tells the next start about the rest. */
  async #finish(): Promise<void> {
    const enough = new AbortController();
    const over = Promise.all([this.#work.finish(), this.#prune.idle()]);
    await Promise.race([over, this.#ports.clock.sleep(FINISH_MS, enough.signal)]);
    enough.abort();
    await this.#keepLedger();
  }
}
