import Docker from 'dockerode';
import type { OutputLine } from '../../domain/output.ts';
import { parseDockerHost } from './address.ts';
import { containerOptions, LABEL_LOG, LABEL_SESSION } from './containerOptions.ts';
import { toContainerView } from './containerView.ts';
import { limited, linesOf, statusOf, unlessStatus } from './calls.ts';
import { readOutput } from './dockerOutput.ts';
import { imageUses, listImages, removeImage } from './dockerImages.ts';
import { pullImage } from './dockerPull.ts';
import { ensureNetwork } from './ensureNetwork.ts';
import { EngineError, EngineErrorCode, explainEngineFailure } from './errors.ts';
import { digestFor, ImageDigests } from './imageDigests.ts';
import { readKernelKills } from './kernelKills.ts';
import { DEAD_END_NETWORK, NETWORKS, type NetworkDefinition } from './networks.ts';
import { hasNvidiaHook } from './nvidiaHook.ts';
import { OomKills } from './oomKills.ts';
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
  SessionUse,
} from './port.ts';
import { toSample, useBetween, type UseSample } from './usage.ts';

/** Calls that take a signal, which the published types lack. */
type WithSignal = {
  info(options: { readonly abortSignal: AbortSignal }): Promise<DockerInfo>;
  version(options: { readonly abortSignal: AbortSignal }): Promise<{ readonly ApiVersion: string }>;
};

/** How long the engine may take. */
export type EngineLimits = {
  readonly callMs: number;
  readonly startMs: number;
  /** Without a word of a pull. */
  readonly pullSilenceMs: number;
  /** Of its own after the grace of a stop. */
  readonly stopExtraMs: number;
  /** Many layers of a large image take their time. */
  readonly removeImageMs: number;
};

const LIMITS: EngineLimits = {
  callMs: 20_000,
  startMs: 120_000,
  pullSilenceMs: 120_000,
  stopExtraMs: 20_000,
  removeImageMs: 300_000,
};
/** What changes a session. Health checks of images run programs all the time, and every one of them is an event too. */
const EVENTS = ['create', 'start', 'kill', 'die', 'oom', 'pause', 'unpause', 'restart', 'destroy', 'health_status'];

/** What the engine's "info" holds of interest; older engines lack the devices. */
type DockerInfo = {
  readonly ServerVersion: string;
  readonly Runtimes: { readonly [name: string]: unknown };
  readonly DiscoveredDevices?: readonly { readonly Source: string; readonly ID: string }[] | null;
  readonly DockerRootDir: string;
  readonly Driver: string;
  readonly CgroupVersion?: string;
};

export type DockerEngineOptions = {
  /** As in DOCKER_HOST: `unix:///path` or `tcp://address:port`. */
  readonly host: string;
  /** Folders to look for NVIDIA's hook in. Default: those of PATH. */
  readonly hookFolders?: readonly string[];
  readonly limits?: EngineLimits;
  /** What the kernel of this host has said, null where it may not be read. Default: its own log. */
  readonly kernelLog?: () => Promise<string | null>;
};

/** The engine port on Docker's API. It keeps the last measurement of each session, what it was made from and what the kernel said of its end. */
export class DockerEngine implements Engine {
  readonly #docker: Docker;
  readonly #hookFolders: readonly string[];
  readonly #limits: EngineLimits;
  readonly #oomKills: OomKills;
  readonly #digests = new ImageDigests();
  #samples: ReadonlyMap<string, UseSample> = new Map();
  #ensuring: Promise<unknown> | undefined;

  constructor(options: DockerEngineOptions) {
    this.#docker = connect(options.host);
    this.#hookFolders = options.hookFolders ?? (process.env['PATH'] ?? '').split(':');
    this.#limits = options.limits ?? LIMITS;
    this.#oomKills = new OomKills(options.kernelLog ?? (() => readKernelKills()));
  }

  async facts(): Promise<EngineFacts> {
    const [info, version] = await limited('call', 'its facts', this.#limits.callMs, async (abortSignal) => {
      const docker: WithSignal = this.#docker;
      return [await docker.info({ abortSignal }), await docker.version({ abortSignal })] as const;
    });
    return {
      version: info.ServerVersion,
      apiVersion: version.ApiVersion,
      runtimes: Object.keys(info.Runtimes),
      cdiDevices: (info.DiscoveredDevices ?? []).filter((each) => each.Source === 'cdi').map((each) => each.ID),
      dataRoot: info.DockerRootDir,
      storageDriver: info.Driver,
      cgroupVersion: info.CgroupVersion ?? '1',
      nvidiaHook: await hasNvidiaHook(this.#hookFolders),
    };
  }

  async list(logId: string): Promise<readonly ContainerView[]> {
    const inspected = await limited('call', 'the list of containers', this.#limits.callMs, async (abortSignal) => {
      const filters = { label: [`${LABEL_LOG}=${logId}`] };
      const found = await this.#docker.listContainers({ all: true, filters, abortSignal });
      return Promise.all(found.map((each) => this.#inspect(each.Id, abortSignal)));
    });
    return this.#oomKills.complete(inspected.flat());
  }

  async unmanaged(): Promise<number> {
    const running = await limited('call', 'the list of containers', this.#limits.callMs, (abortSignal) =>
      this.#docker.listContainers({ abortSignal }),
    );
    return running.filter((each) => !(LABEL_LOG in each.Labels)).length;
  }

  async images(): Promise<readonly EngineImage[]> {
    return await listImages(this.#docker, this.#limits.callMs);
  }

  async imageStock(): Promise<ImageStock> {
    const images = await this.images();
    return { images, containers: await imageUses(this.#docker, this.#limits.callMs) };
  }

  async removeImage(removal: ImageRemoval): Promise<boolean> {
    return await removeImage(this.#docker, this.#limits, removal);
  }

  async hasImage(reference: string): Promise<LocalImage | null> {
    const image = await limited('call', reference, this.#limits.callMs, () =>
      unlessStatus([404], this.#docker.getImage(reference).inspect()),
    );
    if (image === undefined) return null;
    return { imageId: image.Id, digest: digestFor(reference, image.RepoDigests ?? []) };
  }

  async pull(reference: string, options: PullOptions): Promise<LocalImage> {
    await pullImage(this.#docker, reference, this.#limits.pullSilenceMs, options);
    const image = await this.hasImage(reference);
    if (image !== null) return image;
    throw new EngineError(EngineErrorCode.imageNotFound, `${reference} was pulled and is not there: was it pruned?`);
  }

  async start(spec: ContainerSpec): Promise<void> {
    await this.prepare();
    const subject = spec.sessionId;
    const container = await limited(
      'create',
      `${subject} (${spec.imageReference})`,
      this.#limits.callMs,
      (abortSignal) => this.#docker.createContainer({ ...containerOptions(spec), abortSignal }),
    );
    try {
      // Engines before version 25 take one network at creation, so the second is always joined separately.
      const deadEnd = this.#docker.getNetwork(DEAD_END_NETWORK);
      await limited('network', subject, this.#limits.callMs, (abortSignal) => {
        const joining = { Container: container.id, abortSignal };
        return deadEnd.connect(joining);
      });
      await limited('start', subject, this.#limits.startMs, (abortSignal) => container.start({ abortSignal }));
    } catch (error) {
      await this.#discard(container, subject, error);
      throw error;
    }
  }

  async stop(sessionId: string, graceSeconds: number): Promise<void> {
    const limitMs = graceSeconds * 1_000 + this.#limits.stopExtraMs;
    for (const { id, isPaused } of await this.#containersOf(sessionId)) {
      if (isPaused) await this.#resume(id, sessionId);
      await limited('call', sessionId, limitMs, (abortSignal) =>
        unlessStatus([304, 404], this.#docker.getContainer(id).stop({ t: graceSeconds, abortSignal })),
      );
    }
  }

  async remove(sessionId: string): Promise<void> {
    for (const { id } of await this.#containersOf(sessionId)) {
      try {
        await limited('call', sessionId, this.#limits.callMs, (abortSignal) =>
          this.#docker.getContainer(id).remove({ v: true, abortSignal }),
        );
      } catch (error) {
        if (statusOf(error) === 404 || isBeingRemoved(error)) continue;
        if (statusOf(error) !== 409) throw error;
        throw new EngineError(EngineErrorCode.containerRunning, `${sessionId} still runs: stop it first.`, error);
      }
    }
  }

  async stats(sessionIds: readonly string[]): Promise<ReadonlyMap<string, SessionUse>> {
    const samples = await limited('call', 'measurements', this.#limits.callMs, async (abortSignal) => {
      const found = await this.#docker.listContainers({
        filters: { label: [LABEL_SESSION] },
        abortSignal,
      });
      const measured = found.map(async (each): Promise<[string, UseSample][]> => {
        const sessionId = each.Labels[LABEL_SESSION] ?? '';
        if (!sessionIds.includes(sessionId)) return [];
        const once = { stream: false as const, 'one-shot': true, abortSignal };
        const answer = await unlessStatus([404], this.#docker.getContainer(each.Id).stats(once));
        const sample = answer === undefined ? null : toSample(answer);
        return sample === null ? [] : [[sessionId, sample]];
      });
      return new Map((await Promise.all(measured)).flat());
    });
    const before = this.#samples;
    this.#samples = samples;
    return new Map(
      [...samples].flatMap(([sessionId, after]): [string, SessionUse][] => {
        const earlier = before.get(sessionId);
        const use = earlier === undefined ? null : useBetween(earlier, after);
        return use === null ? [] : [[sessionId, use]];
      }),
    );
  }

  output(wanted: OutputWanted, signal: AbortSignal): Promise<AsyncIterable<readonly OutputLine[]>> {
    return readOutput(this.#docker, this.#limits.callMs, wanted, signal);
  }

  async *changes(signal: AbortSignal): AsyncIterable<'changed'> {
    // Named, because the published types lack the signal.
    const options: Docker.GetEventsOptions & { abortSignal: AbortSignal } = {
      filters: { type: ['container'], label: [LABEL_SESSION], event: EVENTS },
      abortSignal: signal,
    };
    try {
      const events = await limited('call', 'its events', this.#limits.callMs, () => this.#docker.getEvents(options));
      yield 'changed';
      for await (const _line of linesOf(events)) yield 'changed';
    } catch (error) {
      if (!signal.aborted) throw explainEngineFailure(error, 'call', 'its events');
    }
    if (signal.aborted) return;
    throw new EngineError(EngineErrorCode.engineDown, 'The container engine ended the stream of its events.');
  }

  /**
   * Makes the networks that sessions join, unless they are there; `start` does it too. Calls at the same time share one
   * look, because engines before version 25 make a network of one name twice when asked twice at once.
   */
  async prepare(): Promise<void> {
    this.#ensuring ??= Promise.all(NETWORKS.map((network) => this.#ensureNetwork(network)));
    try {
      await this.#ensuring;
    } finally {
      this.#ensuring = undefined;
    }
  }

  /** Empty when the container is gone by now. An image that was removed by force has no digests any more. */
  async #inspect(containerId: string, abortSignal: AbortSignal): Promise<readonly ContainerView[]> {
    const inspected = await unlessStatus([404], this.#docker.getContainer(containerId).inspect({ abortSignal }));
    if (inspected === undefined) return [];
    const digest = await this.#digests.of(inspected, async (imageId) => {
      const image = await unlessStatus([404], this.#docker.getImage(imageId).inspect());
      return image?.RepoDigests ?? [];
    });
    return [toContainerView(inspected, digest)];
  }

  async #ensureNetwork(wanted: NetworkDefinition): Promise<void> {
    await limited('network', wanted.Name, this.#limits.callMs, (abortSignal) =>
      ensureNetwork(this.#docker, wanted, abortSignal),
    );
  }

  /** Found by label, so that a container which only has the name of a session is never touched. */
  async #containersOf(sessionId: string): Promise<readonly { readonly id: string; readonly isPaused: boolean }[]> {
    const filters = { label: [`${LABEL_SESSION}=${sessionId}`] };
    const found = await limited('call', sessionId, this.#limits.callMs, (abortSignal) =>
      this.#docker.listContainers({ all: true, filters, abortSignal }),
    );
    return found.map(({ Id: id, State }) => ({ id, isPaused: State === 'paused' }));
  }

  /** A program that is paused cannot use the grace of a stop. Engines answer 409 or 500 when it is paused no more. */
  async #resume(id: string, sessionId: string): Promise<void> {
    await limited('call', sessionId, this.#limits.callMs, (abortSignal) =>
      unlessStatus([404, 409, 500], this.#docker.getContainer(id).unpause({ abortSignal })),
    );
  }

  async #discard(container: Docker.Container, sessionId: string, reason: unknown): Promise<void> {
    try {
      await limited('call', sessionId, this.#limits.callMs, () =>
        unlessStatus([404], container.remove({ v: true, force: true })),
      );
    } catch (error) {
      const { code, message } = explainEngineFailure(reason, 'start', sessionId);
      const both = new AggregateError([reason, error], 'The start failed, and so did clearing up after it');
      throw new EngineError(code, `${message} Its container could not be removed.`, both);
    }
  }
}

function connect(host: string): Docker {
  const address = parseDockerHost(host);
  switch (address.kind) {
    // An empty host and no certificates: dockerode would fill what is missing from DOCKER_* variables of its own accord.
    case 'unix':
      return new Docker({ socketPath: address.socketPath, host: '', protocol: 'http' });
    case 'tcp':
      return new Docker({ host: address.host, port: address.port, protocol: 'http' });
  }
}

/** A removal by somebody else under way is as good as ours. */
function isBeingRemoved(error: unknown): boolean {
  return error instanceof Error && /removal of container .* is already in progress/i.test(error.message);
}
