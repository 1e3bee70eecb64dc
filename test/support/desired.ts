import type { DesiredDocument, DesiredSession } from '../../domain/desired.ts';
import type { ImageNeeds } from '../../domain/images/image.ts';
import type { ContainerSpec } from '../../agent/engine/port.ts';
import { anImage } from './builders.ts';

export const plainImage: ImageNeeds = anImage({
  imageId: 'notebook',
  reference: 'muster-test/sleeper:1',
  memoryBytes: 64 * 1024 ** 2,
});

export function wanted(sessionId: string, change: Partial<DesiredSession> = {}): DesiredSession {
  return { sessionId, image: plainImage, gpuUuids: [], mayCreate: true, ...change };
}

export function desired(version: number, sessions: readonly DesiredSession[], logId = 'log-a'): DesiredDocument {
  return {
    schemaVersion: 1,
    agentId: 'agent-1',
    logId,
    version,
    pruneMode: 'off',
    pruneMark: null,
    sessions: [...sessions],
  };
}

export function specOf(sessionId: string, logId = 'log-a'): ContainerSpec {
  return {
    logId,
    sessionId,
    agentId: 'agent-1',
    imageReference: plainImage.reference,
    millicores: plainImage.millicores,
    cpuMode: 'shares',
    memoryBytes: plainImage.memoryBytes,
    shmBytes: null,
    gpuUuids: [],
    gpuMethod: 'nvidia',
    ports: [],
    environment: {},
    command: null,
    sessionAddress: '127.0.0.1',
  };
}
