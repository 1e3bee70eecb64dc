import type { ContainerSpec } from './port.ts';
import { SESSION_NETWORK } from './networks.ts';

export const LABEL_LOG = 'muster.log';
export const LABEL_SESSION = 'muster.session';
const LABEL_AGENT = 'muster.agent';

const CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETUID', 'SETGID', 'KILL', 'NET_BIND_SERVICE'];
/** Enough for a desktop with a browser, and an end to a fork bomb. */
const PIDS_LIMIT = 4_096;
/** Engines refuse less. */
const LEAST_MEMORY_BYTES = 6 * 1_048_576;
const SHARES_PER_CORE = 1_024;
const LEAST_SHARES = 2;
const MOST_SHARES = 262_144;
const PERIOD_MICROSECONDS = 100_000;
const LEAST_QUOTA_MICROSECONDS = 1_000;

type DeviceRequest = {
  readonly Driver: string;
  readonly DeviceIDs: string[];
  readonly Capabilities?: string[][];
};

/** The body of the engine's "create container" for a session: the rules for what a session may do are all here. */
export function containerOptions(spec: ContainerSpec) {
  const ports = spec.ports.map((each) => `${each.containerPort}/${each.protocol}`);
  return {
    name: spec.sessionId,
    Image: spec.imageReference,
    Labels: {
      [LABEL_LOG]: spec.logId,
      [LABEL_SESSION]: spec.sessionId,
      [LABEL_AGENT]: spec.agentId,
    },
    Env: environment(spec),
    ...(spec.command === null ? {} : { Cmd: [...spec.command] }),
    ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])),
    HostConfig: {
      Memory: Math.max(spec.memoryBytes, LEAST_MEMORY_BYTES),
      MemorySwap: -1,
      ...cpuLimits(spec),
      ...(spec.shmBytes === null ? {} : { ShmSize: spec.shmBytes }),
      PidsLimit: PIDS_LIMIT,
      Privileged: false,
      CapDrop: ['ALL'],
      CapAdd: [...CAPABILITIES],
      SecurityOpt: ['no-new-privileges:true'],
      RestartPolicy: { Name: 'no' },
      NetworkMode: SESSION_NETWORK,
      PublishAllPorts: false,
      PortBindings: Object.fromEntries(ports.map((port) => [port, [{ HostIp: spec.sessionAddress, HostPort: '' }]])),
      DeviceRequests: deviceRequests(spec),
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    },
  };
}

/**
 * Ours come last and theirs of the same name go, so that neither an image nor a request chooses its own GPUs. With CDI
 * the engine injects the devices itself; `void` keeps a default runtime of NVIDIA's from adding others by the variable.
 */
function environment(spec: ContainerSpec): string[] {
  const own: Record<string, string> =
    spec.gpuUuids.length === 0
      ? { NVIDIA_VISIBLE_DEVICES: 'void' }
      : {
          NVIDIA_VISIBLE_DEVICES: spec.gpuMethod === 'cdi' ? 'void' : spec.gpuUuids.join(','),
          NVIDIA_DRIVER_CAPABILITIES: 'all',
        };
  const theirs = Object.entries(spec.environment).filter(([name]) => !(name in own));
  return [...theirs, ...Object.entries(own)].map(([name, value]) => `${name}=${value}`);
}

/**
 * A quota is given as period and quota, not as NanoCpus: engines refuse NanoCpus above the host's own cores, which an
 * override allows.
 */
function cpuLimits(spec: ContainerSpec): { CpuShares: number } | { CpuPeriod: number; CpuQuota: number } {
  switch (spec.cpuMode) {
    case 'shares': {
      const shares = Math.round((spec.millicores * SHARES_PER_CORE) / 1_000);
      return { CpuShares: Math.min(Math.max(shares, LEAST_SHARES), MOST_SHARES) };
    }
    case 'quota': {
      const quota = Math.round((spec.millicores * PERIOD_MICROSECONDS) / 1_000);
      return {
        CpuPeriod: PERIOD_MICROSECONDS,
        CpuQuota: Math.max(quota, LEAST_QUOTA_MICROSECONDS),
      };
    }
  }
}

function deviceRequests(spec: ContainerSpec): DeviceRequest[] {
  if (spec.gpuUuids.length === 0) return [];
  switch (spec.gpuMethod) {
    case 'cdi':
      return [{ Driver: 'cdi', DeviceIDs: spec.gpuUuids.map((uuid) => `nvidia.com/gpu=${uuid}`) }];
    case 'nvidia':
      return [{ Driver: 'nvidia', DeviceIDs: [...spec.gpuUuids], Capabilities: [['gpu']] }];
  }
}
