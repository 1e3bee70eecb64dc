import { meetsSelector, selectorsText } from '../../labels.ts';
import type { AgentState } from '../../agents/state.ts';
import { NEVER, type PlacementRequest, type PlacementRule } from '../rule.ts';

/** The image runs only on agents with certain labels, and this one lacks some. Waiting brings no label. */
export const labelMissing: PlacementRule = {
  code: 'LABEL_MISSING',
  check: ({ labels }, { needs }) =>
    needs.includeLabels.every((selector) => meetsSelector(labels, selector)) ? null : NEVER,
  sentence: ({ agent, request }) => `it lacks the ${selectorsText(lacking(agent, request))}, which the image asks for`,
  fix: ({ agent, request }) => `give it the ${selectorsText(lacking(agent, request))}`,
};

function lacking({ labels }: AgentState, { needs }: PlacementRequest): readonly string[] {
  return needs.includeLabels.filter((selector) => !meetsSelector(labels, selector));
}
