import type Docker from 'dockerode';
import { unlessStatus } from './calls.ts';
import { EngineError, EngineErrorCode } from './errors.ts';
import { networkFault, type NetworkDefinition } from './networks.ts';

/** Makes the network unless it is there. One that would not keep sessions apart is refused, with what to do about it. */
export async function ensureNetwork(
  docker: Docker,
  wanted: NetworkDefinition,
  abortSignal: AbortSignal,
): Promise<void> {
  const look = () => unlessStatus([404], docker.getNetwork(wanted.Name).inspect());
  const before = await look();
  let existing = before;
  if (existing === undefined) {
    const making = docker.createNetwork({ ...wanted, CheckDuplicate: true, abortSignal });
    const refusal = await making.then(
      () => null,
      (error: unknown) => error,
    );
    existing = await look();
    // Refused, and there now: another process made it at the same moment.
    if (existing === undefined) throw refusal ?? new Error('it is gone again');
  }
  const fault = networkFault(wanted, existing);
  if (fault === null) return;
  if (before !== undefined) {
    const advice = 'Sessions would not be kept apart on it. Remove it when no session runs; the agent makes it anew.';
    throw new EngineError(EngineErrorCode.network, `The network ${wanted.Name} is not ours: ${fault}. ${advice}`);
  }
  await docker.getNetwork(wanted.Name).remove({ abortSignal });
  throw new EngineError(
    EngineErrorCode.engineUnsuitable,
    `This container engine cannot keep sessions apart: it made the network ${wanted.Name}, but ${fault}. Use Docker 20.10 or newer; Podman cannot do it.`,
  );
}
