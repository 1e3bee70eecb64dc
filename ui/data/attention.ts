import type { Condition } from '../../domain/schemas.ts';
import type { AgentView } from '../../projections/views.ts';
import { needsAttention } from './agents.ts';
import { asSentence } from './explain.ts';

/** What somebody can do about it right where it is said. */
export type AttentionWish = 'approve' | 'declare-lost' | 'override';

/** One thing that is wrong with an agent, or waits for somebody. */
export interface Matter {
  /** As it is told apart at a glance: `Missing`. */
  readonly name: string;
  readonly tone: 'warn' | 'danger';
  readonly sentence: string;
  /** How it is mended, as a sentence; null: the sentence says it. */
  readonly mend: string | null;
  readonly wish: AttentionWish | null;
}

/** An agent with all that is the matter with it, the worst first. */
export interface AgentMatters {
  readonly agent: AgentView;
  readonly matters: readonly Matter[];
}

interface Ranked extends Matter {
  /** Smaller comes first. */
  readonly rank: number;
}

/** Shown at once; the table has all of them. */
export const MATTERS_SHOWN = 12;

const CONDITION_NAMES: Readonly<Record<Condition, string>> = {
  IDENTITY_CONFLICT: 'Identity conflict',
  LOG_REWOUND: 'Log rewound',
  DOCKER_DOWN: 'Engine down',
  GPU_FAILED: 'GPU failed',
  OVER_ALLOCATED: 'Over-allocated',
  DISK_PRESSURE: 'Disk filling up',
  DESIRED_NOT_APPLIED: 'Does not follow',
  CLOCK_SKEW: 'Clock is off',
  TOKEN_OLD: 'Old token',
  VERSION_SKEW: 'Other version',
};

/** The order in which conditions matter; an approval, a silent agent and an uncovered memory risk come before them. */
const CONDITIONS_IN_ORDER = [
  'DOCKER_DOWN',
  'IDENTITY_CONFLICT',
  'LOG_REWOUND',
  'GPU_FAILED',
  'OVER_ALLOCATED',
  'DISK_PRESSURE',
  'DESIRED_NOT_APPLIED',
  'CLOCK_SKEW',
  'TOKEN_OLD',
  'VERSION_SKEW',
] as const satisfies readonly Condition[];

const BAD: ReadonlySet<Condition> = new Set<Condition>([
  'DOCKER_DOWN',
  'IDENTITY_CONFLICT',
  'LOG_REWOUND',
  'GPU_FAILED',
]);

/** All agents that somebody should look at, what matters most first. */
export function mattersOf(agents: Iterable<AgentView>): readonly AgentMatters[] {
  const found: { readonly agent: AgentView; readonly ranked: readonly Ranked[] }[] = [];
  for (const agent of agents) {
    if (needsAttention(agent)) found.push({ agent, ranked: rankedOf(agent) });
  }
  return found
    .toSorted(
      (a, b) =>
        (a.ranked[0]?.rank ?? 0) - (b.ranked[0]?.rank ?? 0) ||
        a.agent.hostname.localeCompare(b.agent.hostname, 'en', { numeric: true }) ||
        a.agent.agentId.localeCompare(b.agent.agentId),
    )
    .map(({ agent, ranked }) => ({ agent, matters: ranked }));
}

function rankedOf(agent: AgentView): readonly Ranked[] {
  const all = [...standing(agent), ...memory(agent), ...conditions(agent)].toSorted((a, b) => a.rank - b.rank);
  return all.length > 0 ? withoutTwice(all) : [matter(99, 'Needs a look', { sentence: agent.sentence })];
}

/** The same way to deal with several things is offered once, at the worst of them. */
function withoutTwice(matters: readonly Ranked[]): readonly Ranked[] {
  const offered = new Set<AttentionWish>();
  return matters.map((each) => {
    if (each.wish === null || !offered.has(each.wish)) {
      if (each.wish !== null) offered.add(each.wish);
      return each;
    }
    return { ...each, wish: null };
  });
}

function matter(rank: number, name: string, more: Partial<Matter> & Pick<Matter, 'sentence'>): Ranked {
  return { rank, name, tone: 'warn', mend: null, wish: null, ...more };
}

/** How it stands as a whole: waiting for approval, revoked and still holding something, silent. */
function standing({ intent, connectivity, sentence, sessions, fingerprint }: AgentView): readonly Ranked[] {
  if (intent === 'pending') {
    const compare = 'Compare the fingerprint with what the agent printed, then approve it.';
    const mend = fingerprint === null ? 'It told no fingerprint: approve it only if you expect it.' : compare;
    return [matter(0, 'To approve', { sentence, mend, wish: 'approve' })];
  }
  const lost = connectivity === 'missing' ? 'declare-lost' : null;
  if (intent === 'revoked') {
    return sessions === 0 ? [] : [matter(2, 'Revoked', { tone: 'danger', sentence, wish: lost })];
  }
  switch (connectivity) {
    case 'missing': {
      const mend = 'See whether the host and its agent run. If it is gone for good, declare it lost.';
      return [matter(1, 'Missing', { tone: 'danger', sentence, mend, wish: lost })];
    }
    case 'lost':
      return [matter(3, 'Declared lost', { tone: 'danger', sentence })];
    case 'late':
      return [
        matter(4, 'Late', { sentence, mend: 'It may come back by itself; see whether its host and network are busy.' }),
      ];
    case 'never':
    case 'online':
      return [];
  }
}

function memory({ memoryRisks }: AgentView): readonly Ranked[] {
  const mend = 'Lower the override of memory, or let sessions end.';
  return memoryRisks.map(({ level, sentence }) =>
    level === 'uncovered'
      ? matter(5, 'Memory risk', { tone: 'danger', sentence: asSentence(sentence), mend, wish: 'override' })
      : matter(20, 'Memory', { sentence: asSentence(sentence), mend, wish: 'override' }),
  );
}

function conditions(agent: AgentView): readonly Ranked[] {
  return agent.conditions.map(({ condition, detail, mend }) =>
    matter(6 + CONDITIONS_IN_ORDER.indexOf(condition), CONDITION_NAMES[condition], {
      tone: BAD.has(condition) ? 'danger' : 'warn',
      sentence: asSentence(detail),
      mend: asSentence(mend),
      wish: condition === 'OVER_ALLOCATED' ? 'override' : null,
    }),
  );
}
