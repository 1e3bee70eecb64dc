import type { DesiredSession } from '../domain/desired.ts';
import type { ImageNeeds } from '../domain/images/image.ts';
import { EngineError } from './engine/errors.ts';
import type { ContainerSpec, EngineFacts } from './engine/port.ts';
import type { Failure } from './ledger.ts';
import type { AgentSettings } from './ports.ts';

/** The reference that is pulled and started: at its digest where the image has one, so that a moved tag changes nothing. */
export function imageReference({ reference, digest }: ImageNeeds): string {
  return digest === null || reference.includes('@') ? reference : `${reference}@${digest}`;
}

export function containerSpec(
  session: DesiredSession,
  logId: string,
  settings: Pick<AgentSettings, 'agentId' | 'sessionAddress'>,
  facts: EngineFacts,
): ContainerSpec {
  const { image, gpuUuids } = session;
  return {
    logId,
    sessionId: session.sessionId,
    agentId: settings.agentId,
    imageReference: imageReference(image),
    millicores: image.millicores,
    cpuMode: image.cpuMode,
    memoryBytes: image.memoryBytes,
    shmBytes: image.shmBytes,
    gpuUuids,
    gpuMethod: gpuUuids.every((uuid) => facts.cdiDevices.includes(cdiName(uuid))) ? 'cdi' : 'nvidia',
    ports: image.ports,
    environment: image.environment,
    command: image.command,
    sessionAddress: settings.sessionAddress,
  };
}

/** The name under which a container engine that supports CDI knows an NVIDIA device. */
export function cdiName(uuid: string): string {
  return `nvidia.com/gpu=${uuid}`;
}

/** What a check-in says of an error, within its limits. */
export function failureOf(error: unknown): Failure {
  const code = error instanceof EngineError ? error.code : 'AGENT_FAULT';
  const detail = error instanceof Error ? error.message : String(error);
  return { code, detail: shortened(detail) };
}

export function shortened(text: string): string {
  return text.length <= 500 ? text : `${text.slice(0, 497)}...`;
}
