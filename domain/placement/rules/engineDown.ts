import { NOT_NOW, type PlacementRule } from '../rule.ts';

/** Without a container engine nothing can be started. */
export const engineDown: PlacementRule = {
  code: 'ENGINE_DOWN',
  check: (agent) => (agent.conditions.has('DOCKER_DOWN') ? NOT_NOW : null),
  sentence: () => 'its container engine is down',
  fix: ({ agent }) => agent.conditions.get('DOCKER_DOWN')?.mend ?? 'start its container engine',
};
