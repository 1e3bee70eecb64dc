import type { WaitingSession } from '../sessions/state.ts';
import type { PlacementRequest } from './rule.ts';

/** All that the rules look at in a request, as one text: equal shapes get equal answers of the same fleet. */
export function shapeOf({ needs, pinnedAgentId }: PlacementRequest): string {
  const { millicores, memoryBytes, gpu, gpuModel, gpuMemoryBytes, includeLabels, excludeLabels } = needs;
  const labels = [includeLabels, excludeLabels];
  return JSON.stringify([millicores, memoryBytes, gpu, gpuModel, gpuMemoryBytes, labels, pinnedAgentId]);
}

/** Each wake goes down a line of up to 10,000, so what never changes is written once per session. */
const shapes = new WeakMap<WaitingSession, string>();

export function shapeOfWaiting(session: WaitingSession): string {
  let shape = shapes.get(session);
  if (shape === undefined) {
    shape = shapeOf({ needs: session.image, pinnedAgentId: session.pinnedAgentId });
    shapes.set(session, shape);
  }
  return shape;
}
