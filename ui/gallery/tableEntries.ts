import { html, type TemplateResult } from 'lit';
import type { Role } from '../../domain/people/role.ts';
import type { AgentView } from '../../projections/views.ts';
import type { MenuItem } from '../components/mu-menu.ts';
import { AGENT_COLUMNS } from '../data/agentColumns.ts';
import { ALL_AGENTS } from '../data/agentFilter.ts';
import { GatewayUnreachable } from '../data/problem.ts';
import {
  agentRow,
  DOCKER_DOWN,
  GIB,
  gpuAgentRow,
  NOON,
  pendingAgentRow,
  revokedAgentRow,
  secondsBefore,
} from './fixtures.ts';

const NOTHING = { millicores: 0, memoryBytes: 0, gpus: 0 };

/** Every state of an agent, each under its own name. */
const EVERY: readonly AgentView[] = [
  named('as-usual, with an override', agentRow()),
  named('pending', pendingAgentRow()),
  named('pending, no secret of its own', pendingAgentRow({ fingerprint: null })),
  named('revoked, with sessions', revokedAgentRow()),
  named(
    'revoked, holding nothing',
    revokedAgentRow({ connectivity: 'lost', sessions: 0, allocated: NOTHING, sentence: 'Revoked: it holds nothing.' }),
  ),
  named(
    'disabled and simulated',
    agentRow({ intent: 'disabled', simulated: true, sentence: 'Online, disabled: it takes nothing new.' }),
  ),
  named(
    'no container engine',
    agentRow({
      conditions: [DOCKER_DOWN],
      memoryRisks: [{ level: 'uncovered', sentence: '4 GiB not covered by RAM or swap: sessions can be killed' }],
      sentence: 'Online, but its container engine is down. No session on it.',
    }),
  ),
  named(
    'missing',
    agentRow({
      connectivity: 'missing',
      sentence: 'Missing: it has stopped checking in. 2 sessions on it, unknown until it returns.',
      lastCheckInAt: secondsBefore(260),
    }),
  ),
  named(
    'lost',
    agentRow({
      connectivity: 'lost',
      sentence: 'Declared lost: its sessions are over.',
      allocated: NOTHING,
      sessions: 0,
    }),
  ),
  named('over-allocated', agentRow({ capacity: { millicores: 4000, memoryBytes: 12 * GIB, gpus: 0 } })),
  named('hardware changed', agentRow({ physical: { millicores: 8000, memoryBytes: 12 * GIB, gpus: 0 } })),
  named('not measured yet', agentRow({ used: null, lastCheckInAt: null })),
  named('labels', agentRow({ labels: { gpu: 'l40', spot: '' } })),
  named('GPUs', gpuAgentRow()),
  named(
    'a-host-with-a-rather-long-name-that-somebody-chose.rack-17.example.internal',
    gpuAgentRow({
      zone: 'a-zone-with-a-long-name',
      labels: { 'example.org/a-pool-with-a-long-name': 'and-a-long-value', gpu: 'l40', rack: 'b', spot: '' },
      physical: { millicores: 512_000, memoryBytes: 6.1 * 1024 * GIB, gpus: 16 },
      capacity: { millicores: 512_000, memoryBytes: 6.1 * 1024 * GIB, gpus: 16 },
      allocated: { millicores: 499_500, memoryBytes: 6 * 1024 * GIB, gpus: 16 },
      sessions: 12_345,
    }),
  ),
];

const REFUSED = new Map([
  ['saving', { busy: true, refusal: null }],
  ['refused', { busy: false, refusal: new GatewayUnreachable(null) }],
]);

const ITEMS: readonly MenuItem[] = [
  { id: 'override', text: 'Override', why: null },
  { id: 'revoke', text: 'Revoke', why: 'This needs the role admin; yours is viewer.' },
];

export const tableEntries = [
  {
    component: 'mu-agent-table',
    states: [
      ['every state, two selected', table(EVERY, { selected: ['pending', 'GPUs'] })],
      ['saving and refused', table([named('saving', agentRow()), named('refused', agentRow())])],
      ['for a viewer', table(EVERY.slice(0, 2), { may: 'viewer' })],
    ],
  },
  {
    component: 'mu-agent-filter',
    states: [
      ['all', html`<mu-agent-filter .listing=${ALL_AGENTS} .zones=${['default']}></mu-agent-filter>`],
      [
        'everything asked for at once',
        html`<mu-agent-filter
          label="Agents, everything asked for"
          .listing=${{ ...ALL_AGENTS, text: 'gpu', state: 'online', zone: 'gone', attention: true, sort: { by: 'cpuUsed', descending: true } }}
          .zones=${['default', 'lab']}
        ></mu-agent-filter>`,
      ],
    ],
  },
  {
    component: 'mu-menu',
    states: [['one item is not for a viewer', html`<mu-menu label="Actions for host-1" .items=${ITEMS}></mu-menu>`]],
  },
] as const;

interface Shown {
  readonly selected?: readonly string[];
  readonly may?: Role;
}

function table(agents: readonly AgentView[], { selected = [], may = 'admin' }: Shown = {}): TemplateResult {
  return html`<mu-agent-table
    .agents=${new Map(agents.map((agent) => [agent.agentId, agent]))}
    .ids=${agents.map(({ agentId }) => agentId)}
    .now=${NOON}
    .may=${may}
    .columns=${new Set(AGENT_COLUMNS)}
    .selected=${new Set(selected)}
    .actions=${REFUSED}
  ></mu-agent-table>`;
}

function named(name: string, agent: AgentView): AgentView {
  return { ...agent, agentId: name, hostname: name };
}
