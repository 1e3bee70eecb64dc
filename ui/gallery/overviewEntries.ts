import { html } from 'lit';
import type { AgentView, FleetTotals } from '../../projections/views.ts';
import { mattersOf } from '../data/attention.ts';
import { agentCounts } from '../data/totals.ts';
import { GatewayUnreachable } from '../data/problem.ts';
import type { GalleryEntry } from './entry.ts';
import { agentRow, DOCKER_DOWN, GIB, NOON, pendingAgentRow, revokedAgentRow, secondsBefore } from './fixtures.ts';
import { noTotals } from './noTotals.ts';
import { everyChange, totalsRow } from './overviewRows.ts';

const LONG = 'a-host-with-a-rather-long-name-that-somebody-chose.rack-17.example.internal';
const MISSING = agentRow({
  agentId: 'host-4',
  hostname: 'host-4',
  connectivity: 'missing',
  sentence: 'Missing: it has stopped checking in. 2 sessions on it, unknown until it returns.',
  lastCheckInAt: secondsBefore(260),
});
const UNCOVERED = agentRow({
  agentId: 'host-5',
  hostname: LONG,
  conditions: [
    DOCKER_DOWN,
    {
      condition: 'OVER_ALLOCATED',
      detail: 'over-allocated by 3 cores; nothing is evicted, nothing new is placed there',
      mend: 'raise the override, or let sessions end',
    },
  ],
  memoryRisks: [
    {
      level: 'uncovered',
      sentence: '4 GiB not covered by RAM or swap: sessions can be killed',
    },
  ],
});
const MANY = Array.from({ length: 40 }, (_, index) =>
  agentRow({ ...MISSING, agentId: `many-${index}`, hostname: `many-${index}` }),
);
const BUSY = new Map([['host-new', { busy: true, refusal: null }]]);
const REFUSED = new Map([['host-new', { busy: false, refusal: new GatewayUnreachable(null) }]]);

export const overviewEntries: readonly GalleryEntry[] = [
  {
    component: 'mu-totals, mu-counts',
    states: [
      ['as usual', totals(totalsRow())],
      ['no agent is online', totals(totalsRow({ used: noTotals().used }))],
      ['only agents to approve', totals({ ...noTotals(), intent: { ...noTotals().intent, pending: 3 } })],
      ['over-allocated', totals(totalsRow({ allocated: { millicores: 90_000, memoryBytes: 300 * GIB, gpus: 3 } }))],
      ['huge', totals(hugeTotals())],
      ['counts alone', html`<mu-counts label="Agents" .counts=${agentCounts(totalsRow())}></mu-counts>`],
    ],
  },
  {
    component: 'mu-attention',
    states: [
      ['everything at once', attention([pendingAgentRow(), MISSING, UNCOVERED, revokedAgentRow()])],
      ['saving', html`<mu-attention .matters=${mattersOf([pendingAgentRow()])} .underWay=${BUSY}></mu-attention>`],
      ['refused', html`<mu-attention .matters=${mattersOf([pendingAgentRow()])} .underWay=${REFUSED}></mu-attention>`],
      ['for a viewer', html`<mu-attention .may=${'viewer'} .matters=${mattersOf([pendingAgentRow()])}></mu-attention>`],
      ['more than are shown', attention(MANY)],
    ],
  },
  {
    component: 'mu-changes',
    states: [
      [
        'every kind',
        html`<mu-changes
          .changes=${everyChange()}
          .names=${{ agents: new Map([['host-4', { hostname: LONG }]]), images: new Map() }}
          .now=${NOON}
        ></mu-changes>`,
      ],
    ],
  },
  {
    component: 'mu-not-ready',
    states: [
      [
        'the bus is away',
        html`<mu-not-ready
          .notReady=${{
            why: 'the bus at nats://127.0.0.1:4222 does not answer',
            logs: ['Log fleet is written by nobody just now.', 'Log zone-default is written by gateway-2.'],
          }}
        ></mu-not-ready>`,
      ],
    ],
  },
];

function totals(row: FleetTotals): unknown {
  return html`<mu-totals .totals=${row} .now=${NOON}></mu-totals>`;
}

function attention(agents: readonly AgentView[]): unknown {
  return html`<mu-attention .matters=${mattersOf(agents)}></mu-attention>`;
}

function hugeTotals(): FleetTotals {
  const capacity = { millicores: 640_000_000, memoryBytes: 2_560_000 * GIB, gpus: 80_000 };
  return totalsRow({
    connectivity: { never: 12, online: 9876, late: 80, missing: 20, lost: 12 },
    intent: { pending: 100, enabled: 9800, disabled: 98, revoked: 2 },
    capacity,
    allocated: { millicores: 512_345_500, memoryBytes: 1_999_999 * GIB, gpus: 79_999 },
    closed: { millicores: 12_800_000, memoryBytes: 51_200 * GIB, gpus: 1600, agents: 200 },
    used: {
      agents: 9876,
      cpuMillicores: 301_234_567,
      memoryBytes: 1_234_567 * GIB,
      ofMillicores: 632_000_000,
      ofMemoryBytes: 2_500_000 * GIB,
      oldestAt: secondsBefore(28),
    },
    gpus: { detected: 80_100, schedulable: 80_000, free: 1 },
    sessions: { waiting: 1200, placed: 40, starting: 300, running: 98_765, stopping: 12, unknown: 400 },
  });
}
