import { parseReference } from '../../domain/images/reference.ts';
import { isoTime, type Clock } from '../../infra/clock.ts';
import type { OutputLine } from '../../domain/output.ts';
import { EngineError, EngineErrorCode } from '../engine/errors.ts';
import type {
  ContainerSpec,
  ContainerView,
  Engine,
  EngineFacts,
  EngineImage,
  ImageRemoval,
  ImageStock,
  LocalImage,
  OutputWanted,
  PullOptions,
  PullProgress,
  SessionUse,
} from '../engine/port.ts';
import { FakeImages } from './images.ts';

export type EngineCall =
  | 'facts'
  | 'list'
  | 'unmanaged'
  | 'images'
  | 'imageStock'
  | 'removeImage'
  | 'hasImage'
  | 'pull'
  | 'start'
  | 'stop'
  | 'remove'
  | 'stats'
  | 'output';

export interface FakeEngineOptions {
  readonly clock: Clock;
  readonly facts: EngineFacts;
  /** How long a call takes. */
  readonly latencyMs: (call: EngineCall) => number;
  /** What a running container uses just now. */
  readonly use: (spec: ContainerSpec, nowMs: number) => SessionUse;
  /** Images that are here; null: every image is. */
  readonly images: ReadonlySet<string> | null;
  /** In how many steps a pull arrives, each of them told. Default: in one. */
  readonly pullSteps?: number;
  /** Told of what an agent must never ask for. */
  readonly onMishap?: (sentence: string) => void;
  /** A failure to give instead of (`before`) or after having done (`after`) the work. */
  readonly fault?: (call: EngineCall, moment: 'before' | 'after', subject: string) => EngineError | null;
}

interface FakeContainer {
  readonly spec: ContainerSpec;
  readonly view: ContainerView;
  readonly imageId: string;
}

/**
 * A container engine in memory: deterministic, on any clock. Containers outlive its outages, as they do with a real one.
 * The simulated agents run on it, and so do the tests of the agent's loop.
 */
export class FakeEngine implements Engine {
  readonly #options: FakeEngineOptions;
  readonly #containers = new Map<string, FakeContainer>();
  readonly #listeners = new Set<() => void>();
  /** Every start that led to a running container, in order: nobody may be in here twice. */
  readonly starts: ContainerSpec[] = [];
  readonly removals: string[] = [];
  readonly stock: FakeImages;
  /** Every pull that came to its end. */
  readonly pulls: string[] = [];
  #up = true;
  #made = 0;

  constructor(options: FakeEngineOptions) {
    this.#options = options;
    this.stock = new FakeImages(options.images);
  }

  // What happens to an engine from outside.

  goDown(): void {
    this.#up = false;
    this.#tell();
  }

  comeUp(): void {
    this.#up = true;
  }

  /** The program in a container ends by itself. */
  exit(sessionId: string, exitCode: number, oomKilled = false): void {
    this.#alter(sessionId, { status: 'exited', exitCode, oomKilled, ports: [] });
    this.#tell();
  }

  /** Somebody else removes a container. */
  vanish(sessionId: string): void {
    this.#containers.delete(sessionId);
    this.#tell();
  }

  /** Somebody else, or an agent that crashed, left a container. */
  plant(spec: ContainerSpec, status: ContainerView['status']): void {
    const imageId = this.stock.idOf(spec.imageReference) ?? 'sha256:planted';
    this.#containers.set(spec.sessionId, { spec, imageId, view: { ...this.#newView(spec), status } });
    this.#tell();
  }

  get containers(): readonly ContainerView[] {
    return [...this.#containers.values()].map((container) => container.view);
  }

  // The engine port.

  facts(): Promise<EngineFacts> {
    return this.#call('facts', '', () => this.#options.facts);
  }

  list(logId: string): Promise<readonly ContainerView[]> {
    return this.#call('list', logId, () =>
      [...this.#containers.values()].filter(({ spec }) => spec.logId === logId).map(({ view }) => view),
    );
  }

  unmanaged(): Promise<number> {
    return this.#call('unmanaged', '', () => 0);
  }

  images(): Promise<readonly EngineImage[]> {
    return this.#call('images', '', () => this.stock.list.toReversed());
  }

  imageStock(): Promise<ImageStock> {
    return this.#call('imageStock', '', () => {
      const containers = new Map<string, number>();
      for (const { imageId } of this.#containers.values()) containers.set(imageId, (containers.get(imageId) ?? 0) + 1);
      return { images: this.stock.list.toReversed(), containers };
    });
  }

  removeImage(removal: ImageRemoval): Promise<boolean> {
    return this.#call('removeImage', removal.imageId, () => {
      const isUsed = [...this.#containers.values()].some(({ imageId }) => imageId === removal.imageId);
      if (isUsed) this.#options.onMishap?.(`${removal.imageId} was to be removed while a container used it`);
      return this.stock.remove(removal, isUsed);
    });
  }

  hasImage(reference: string): Promise<LocalImage | null> {
    return this.#call('hasImage', reference, () => {
      const imageId = this.stock.idOf(reference);
      return imageId === null ? null : { imageId, digest: null };
    });
  }

  async pull(reference: string, options: PullOptions): Promise<LocalImage> {
    const steps = this.#options.pullSteps ?? 1;
    const stepMs = this.#options.latencyMs('pull') / steps;
    for (let step = 0; step < steps; step += 1) {
      options.onProgress(pulled(step / steps));
      await this.#options.clock.sleep(stepMs, options.signal);
      options.signal.throwIfAborted();
      this.#check('pull', 'before', reference);
    }
    this.pulls.push(reference);
    return { imageId: this.stock.arrive(reference), digest: null };
  }

  start(spec: ContainerSpec): Promise<void> {
    return this.#call('start', spec.sessionId, () => {
      if (this.#containers.has(spec.sessionId)) {
        const message = `The name ${spec.sessionId} is already in use by a container.`;
        throw new EngineError(EngineErrorCode.containerStartFailed, message);
      }
      const imageId = this.stock.idOf(spec.imageReference);
      if (imageId === null) {
        this.#options.onMishap?.(`${spec.sessionId} was to be started from ${spec.imageReference}, which was gone`);
        throw new EngineError(EngineErrorCode.imageNotFound, `The image ${spec.imageReference} is not there.`);
      }
      this.starts.push(spec);
      this.#containers.set(spec.sessionId, { spec, imageId, view: this.#newView(spec) });
      this.#tell();
    });
  }

  stop(sessionId: string): Promise<void> {
    return this.#call('stop', sessionId, () => {
      const status = this.#containers.get(sessionId)?.view.status;
      if (status === 'running' || status === 'paused' || status === 'restarting') this.exit(sessionId, 143);
    });
  }

  remove(sessionId: string): Promise<void> {
    return this.#call('remove', sessionId, () => {
      const status = this.#containers.get(sessionId)?.view.status;
      if (status === undefined) return;
      if (status === 'running' || status === 'paused') {
        throw new EngineError(EngineErrorCode.containerRunning, `${sessionId} still runs: stop it first.`);
      }
      this.removals.push(sessionId);
      this.vanish(sessionId);
    });
  }

  stats(sessionIds: readonly string[]): Promise<ReadonlyMap<string, SessionUse>> {
    const now = this.#options.clock.now();
    return this.#call('stats', '', () => {
      const wanted = new Set(sessionIds);
      const running = [...this.#containers.values()].filter(
        ({ view }) => view.status === 'running' && wanted.has(view.sessionId),
      );
      return new Map(running.map(({ spec, view }) => [view.sessionId, this.#options.use(spec, now)]));
    });
  }

  async output(wanted: OutputWanted, signal: AbortSignal): Promise<AsyncIterable<readonly OutputLine[]>> {
    const { sessionId, logId } = wanted;
    const container = await this.#call('output', sessionId, () => this.#containers.get(sessionId));
    if (container?.spec.logId === logId) return this.#print(container, wanted, signal);
    throw new EngineError(EngineErrorCode.containerGone, `The container of ${sessionId} is not there any more.`);
  }

  async *#print({ view }: FakeContainer, wanted: OutputWanted, signal: AbortSignal): AsyncIterable<OutputLine[]> {
    const { sessionId, tail, after, follow } = wanted;
    const { clock } = this.#options;
    const begun = Date.parse(view.startedAt ?? isoTime(clock.now()));
    let next = Math.floor((clock.now() - begun) / PRINTS_EVERY_MS) + 1;
    const earlier = Array.from({ length: Math.min(tail, next) }, (_, index) => next - Math.min(tail, next) + index);
    const past = earlier.map((line) => printed(line, begun)).filter(({ at }) => after === null || (at ?? '') > after);
    if (past.length > 0) yield past;
    if (!follow) return;
    while (!signal.aborted && this.#containers.get(sessionId)?.view.status === 'running') {
      await clock.sleep(begun + next * PRINTS_EVERY_MS - clock.now(), signal);
      this.#check('output', 'before', sessionId);
      if (this.#containers.get(sessionId)?.view.status === 'running') yield [printed(next, begun)];
      next += 1;
    }
  }

  async *changes(signal: AbortSignal): AsyncIterable<'changed'> {
    this.#check('list', 'before', 'events');
    let heard = Promise.withResolvers<void>();
    const listen = () => heard.resolve();
    this.#listeners.add(listen);
    signal.addEventListener('abort', listen, { once: true });
    try {
      yield 'changed';
      for (;;) {
        await heard.promise;
        heard = Promise.withResolvers<void>();
        if (signal.aborted) return;
        this.#check('list', 'before', 'events');
        yield 'changed';
      }
    } finally {
      this.#listeners.delete(listen);
      signal.removeEventListener('abort', listen);
    }
  }

  /** What all running containers use together. */
  totalUse(): SessionUse {
    const now = this.#options.clock.now();
    const running = [...this.#containers.values()].filter(({ view }) => view.status === 'running');
    const uses = running.map(({ spec }) => this.#options.use(spec, now));
    return {
      millicores: uses.reduce((sum, use) => sum + use.millicores, 0),
      memoryBytes: uses.reduce((sum, use) => sum + use.memoryBytes, 0),
    };
  }

  /** By container id: UUIDs of the devices that running containers have. */
  gpusInUse(): ReadonlyMap<string, readonly string[]> {
    const running = [...this.#containers.values()].filter(({ view }) => view.status === 'running');
    return new Map(running.map(({ view, spec }) => [view.containerId, spec.gpuUuids]));
  }

  async #call<T>(call: EngineCall, subject: string, work: () => T): Promise<T> {
    this.#check(call, 'before', subject);
    await this.#options.clock.sleep(this.#options.latencyMs(call));
    this.#check(call, 'before', subject);
    const result = work();
    this.#check(call, 'after', subject);
    return result;
  }

  #check(call: EngineCall, moment: 'before' | 'after', subject: string): void {
    if (!this.#up) throw new EngineError(EngineErrorCode.engineDown, 'The container engine does not answer.');
    const fault = this.#options.fault?.(call, moment, subject) ?? null;
    if (fault !== null) throw fault;
  }

  #newView(spec: ContainerSpec): ContainerView {
    this.#made += 1;
    return {
      sessionId: spec.sessionId,
      containerId: this.#made.toString(16).padStart(64, '0'),
      imageDigest: parseReference(spec.imageReference)?.digest ?? null,
      status: 'running',
      exitCode: null,
      oomKilled: false,
      startedAt: isoTime(this.#options.clock.now()),
      health: null,
      ports: spec.ports.map((port, index) => ({
        ...port,
        hostAddress: spec.sessionAddress,
        hostPort: 32_768 + ((this.#made * 32 + index) % 28_000),
      })),
    };
  }

  #alter(sessionId: string, change: Partial<ContainerView>): void {
    const container = this.#containers.get(sessionId);
    if (container === undefined) return;
    this.#containers.set(sessionId, { ...container, view: { ...container.view, ...change } });
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const PRINTS_EVERY_MS = 2000;

/** Made up, and the same whenever it is asked for: line number `line` of a container that began at `begun`. */
function printed(line: number, begun: number): OutputLine {
  const at = isoTime(begun + line * PRINTS_EVERY_MS).replace('Z', '000000Z');
  if (line === 0) return { at, from: 'stdout', text: 'simulated session: this output is made up', goesOn: false };
  if (line % 30 === 0)
    return { at, from: 'stderr', text: `warning: step ${line} took longer than the others`, goesOn: false };
  return { at, from: 'stdout', text: `step ${line}: loss ${(2 / Math.sqrt(line)).toFixed(4)}`, goesOn: false };
}

const PULLED_LAYERS = 5;
const PULLED_BYTES = 400_000_000;

function pulled(share: number): PullProgress {
  return {
    layersDone: Math.floor(share * PULLED_LAYERS),
    layersTotal: PULLED_LAYERS,
    bytesDone: Math.round(share * PULLED_BYTES),
    bytesTotal: PULLED_BYTES,
  };
}
