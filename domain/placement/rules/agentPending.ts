import { NOT_NOW, type PlacementRule } from '../rule.ts';

/**
 * An agent that joined takes nothing until it was heard, caught up, for the first time; nor does one that knows more than
 * the log, until somebody has looked at what it runs.
 */
export const agentPending: PlacementRule = {
  code: 'AGENT_PENDING',
  check: ({ connectivity, hardware, conditions }) =>
    connectivity === 'never' || hardware === null || conditions.has('LOG_REWOUND') ? NOT_NOW : null,
  sentence: ({ agent }) =>
    agent.conditions.has('LOG_REWOUND')
      ? 'it knows more than this log, which was restored from an older backup'
      : 'it has not checked in since it was approved',
  fix: ({ agent }) => agent.conditions.get('LOG_REWOUND')?.mend ?? 'start its agent and let it check in',
};
