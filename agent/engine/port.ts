import type { OutputLine } from '../../domain/output.ts';
import type { PrunableImage } from '../../domain/pruning/plan.ts';

/**
 * What the agent needs from a container engine. Every call has a time limit and fails with an `EngineError`.
 * `docker.ts` is the adapter for Docker; nothing else in the agent knows which engine it is.
 */
export interface Engine {
  facts(): Promise<EngineFacts>;
  /** Every container of this log, in any state. */
  list(logId: string): Promise<readonly ContainerView[]>;
  /** How many running containers are not ours. */
  unmanaged(): Promise<number>;
  /** Every image on this host, newest first. */
  images(): Promise<readonly EngineImage[]>;
  /** Every image on this host with the containers that refer to it; the containers are looked at last. */
  imageStock(): Promise<ImageStock>;
  /**
   * Takes tags from an image that are still its own and, where `whole`, removes it, never by force: IMAGE_IN_USE when the engine
   * refuses. Fine when it is not there. True when the image is gone.
   */
  removeImage(removal: ImageRemoval): Promise<boolean>;
  /** Null when the image is not on this host. */
  hasImage(reference: string): Promise<LocalImage | null>;
  /** Ends when the whole image is here. It fails with TIMEOUT when nothing has arrived for two minutes. */
  pull(reference: string, options: PullOptions): Promise<LocalImage>;
  /** Creates and starts the container of a session. When that fails, nothing is left behind. */
  start(spec: ContainerSpec): Promise<void>;
  /** Asks the container to end and kills it after the grace. Fine when it has ended, or is not there. */
  stop(sessionId: string, graceSeconds: number): Promise<void>;
  /** Removes an ended container and its anonymous volumes. Fine when it is not there; refused while it runs. */
  remove(sessionId: string): Promise<void>;
  /** A session is missing from the answer until it has been measured twice: its CPU use is an average in between. */
  stats(sessionIds: readonly string[]): Promise<ReadonlyMap<string, SessionUse>>;
  /**
   * What the container of this log's session has printed, in pieces as they come; resolves when the engine has begun to read.
   * It reads on only when the next piece is asked for. It ends with what was asked for, when the container ends, and when
   * `signal` aborts; CONTAINER_GONE when there is no such container, ENGINE_DOWN when the engine broke off.
   */
  output(wanted: OutputWanted, signal: AbortSignal): Promise<AsyncIterable<readonly OutputLine[]>>;
  /**
   * Says `changed` once the subscription stands and whenever a container of ours changes. It returns when the signal
   * is aborted and throws an `EngineError` when the engine ends it; the caller subscribes again.
   */
  changes(signal: AbortSignal): AsyncIterable<'changed'>;
}

export type EngineFacts = {
  readonly version: string;
  readonly apiVersion: string;
  readonly runtimes: readonly string[];
  /** Full names, such as `nvidia.com/gpu=GPU-1b2c...`. */
  readonly cdiDevices: readonly string[];
  readonly dataRoot: string;
  readonly storageDriver: string;
  readonly cgroupVersion: string;
  /** The hook by which the engine's own `nvidia` device driver is present on this host. */
  readonly nvidiaHook: boolean;
};

export const ContainerStatus = {
  created: 'created',
  running: 'running',
  paused: 'paused',
  exited: 'exited',
  dead: 'dead',
  restarting: 'restarting',
  removing: 'removing',
} as const;
export type ContainerStatus = (typeof ContainerStatus)[keyof typeof ContainerStatus];

export type ContainerView = {
  readonly sessionId: string;
  readonly containerId: string;
  /** Of the image that it was made from, in the repository that was asked for; null when the engine knows none. */
  readonly imageDigest: string | null;
  readonly status: ContainerStatus;
  /** Null unless the container has ended. */
  readonly exitCode: number | null;
  readonly oomKilled: boolean;
  /** ISO 8601, by the engine's clock. Null when it was never started. */
  readonly startedAt: string | null;
  /** What the image's own health check says; null when it has none, or has not run. */
  readonly health: 'starting' | 'healthy' | 'unhealthy' | null;
  readonly ports: readonly PublishedPort[];
};

export type Protocol = 'tcp' | 'udp';

export type ContainerPort = { readonly containerPort: number; readonly protocol: Protocol };

export type PublishedPort = ContainerPort & {
  readonly hostAddress: string;
  readonly hostPort: number;
};

export type LocalImage = { readonly imageId: string; readonly digest: string | null };

export type EngineImage = PrunableImage;

export type ImageStock = {
  readonly images: readonly EngineImage[];
  /** By image id: how many containers refer to it, in whatever state, whosever they are. */
  readonly containers: ReadonlyMap<string, number>;
};

export type ImageRemoval = {
  readonly imageId: string;
  readonly tags: readonly string[];
  readonly whole: boolean;
};

export type PullProgress = {
  readonly layersDone: number;
  readonly layersTotal: number;
  readonly bytesDone: number;
  /** Of the layers whose size is known so far, so it grows at first. */
  readonly bytesTotal: number;
};

export type PullOptions = {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: PullProgress) => void;
};

export type ContainerSpec = {
  readonly logId: string;
  readonly sessionId: string;
  readonly agentId: string;
  readonly imageReference: string;
  readonly millicores: number;
  readonly cpuMode: 'shares' | 'quota';
  readonly memoryBytes: number;
  readonly shmBytes: number | null;
  readonly gpuUuids: readonly string[];
  readonly gpuMethod: 'cdi' | 'nvidia';
  readonly ports: readonly ContainerPort[];
  readonly environment: Readonly<Record<string, string>>;
  readonly command: readonly string[] | null;
  /** The address on this host that the session's ports are published on. */
  readonly sessionAddress: string;
};

export type OutputWanted = {
  readonly logId: string;
  readonly sessionId: string;
  /** The last so many lines. */
  readonly tail: number;
  /** Only what was printed after this, ISO 8601 to the nanosecond; null: whenever. */
  readonly after: string | null;
  /** Also what comes from now on. */
  readonly follow: boolean;
};

export type SessionUse = { readonly millicores: number; readonly memoryBytes: number };
