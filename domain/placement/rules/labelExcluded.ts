import { meetsSelector, selectorsText } from '../../labels.ts';
import type { AgentState } from '../../agents/state.ts';
import { NEVER, type PlacementRequest, type PlacementRule } from '../rule.ts';

/** The image never runs on agents with certain labels, and this one has some. Waiting takes no label away. */
export const labelExcluded: PlacementRule = {
  code: 'LABEL_EXCLUDED',
  check: ({ labels }, { needs }) =>
    needs.excludeLabels.some((selector) => meetsSelector(labels, selector)) ? NEVER : null,
  sentence: ({ agent, request }) =>
    `it has the ${selectorsText(excluding(agent, request))}, with which the image never runs`,
  fix: ({ agent, request }) => `take its ${selectorsText(excluding(agent, request))} away`,
};

function excluding({ labels }: AgentState, { needs }: PlacementRequest): readonly string[] {
  return needs.excludeLabels.filter((selector) => meetsSelector(labels, selector));
}
