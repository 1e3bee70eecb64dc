import { html } from 'lit';
import type { AgentView } from '../../projections/views.ts';
import { hostFacts, statisticsOf } from '../data/agentPage.ts';
import { markersOf, timelinesOf } from '../data/agentHistory.ts';
import { goingOf } from '../data/pruning.ts';
import { roomLines } from '../data/room.ts';
import { agentEvents, capacityView, dayOfUse, hostRow } from './agentRows.ts';
import type { GalleryEntry } from './entry.ts';
import { agentRow, GIB, gpuAgentRow, imageRow, NOON, secondsBefore, sessionRow, trainingImageRow } from './fixtures.ts';
import { prunedAnswer, pruneAnswer } from './pruneRows.ts';

/** What the page of one agent is made of. */

const DAY = { from: NOON - 24 * 3_600_000, to: NOON };
const OVER = agentRow({ capacity: { millicores: 4000, memoryBytes: 12 * GIB, gpus: 0 } });
const MISSING = agentRow({ connectivity: 'missing', lastCheckInAt: secondsBefore(260) });
const DOWN = { status: 'down', detail: 'no answer on /var/run/docker.sock', mend: 'start it' } as const;

export const agentPageEntries: readonly GalleryEntry[] = [
  {
    component: 'mu-statistic',
    states: [
      ['the worked example of the rules', statistics(agentRow())],
      ['with GPUs', statistics(gpuAgentRow())],
      ['over-allocated', statistics(OVER)],
      ['stale', statistics(MISSING)],
      ['not measured yet', statistics(agentRow({ used: null, lastCheckInAt: null }))],
    ],
  },
  {
    component: 'mu-history-chart',
    states: [
      ['a day with a silence and changes of settings', timeline(0)],
      ['without capacity', timeline(2)],
      ['nothing measured', timeline(3)],
    ],
  },
  {
    component: 'mu-agent-events',
    states: [
      ['by people, programs and itself', html`<mu-agent-events .events=${agentEvents()}></mu-agent-events>`],
      ['none', html`<mu-agent-events></mu-agent-events>`],
    ],
  },
  {
    component: 'mu-room',
    states: [
      ['as it is', room(agentRow())],
      ['more, with the override that is typed', room(agentRow(), { cores: '24', memory: '48GiB' })],
      [
        'fewer, and no GPU free',
        room(gpuAgentRow({ capacity: { millicores: 64_000, memoryBytes: 251 * GIB, gpus: 1 } }), {
          cores: '9',
          memory: null,
        }),
      ],
    ],
  },
  {
    component: 'mu-pruned',
    states: [
      [
        'what goes and what stays',
        html`<mu-pruned label="All images" .images=${pruneAnswer('aggressive').images}></mu-pruned>`,
      ],
      [
        'removed, and skipped',
        html`<mu-pruned label="Done" .images=${goingOf(prunedAnswer('aggressive'))}></mu-pruned>`,
      ],
    ],
  },
  {
    component: 'mu-facts',
    states: [
      ['a host', html`<mu-facts .facts=${hostFacts(hostRow(), NOON)}></mu-facts>`],
      [
        'its engine down, its clock ahead, orphans on it',
        html`<mu-facts
          .facts=${hostFacts(hostRow({ engine: DOWN, observedAt: secondsBefore(-95), disk: null, orphans: ['s-lost'] }), NOON)}
        ></mu-facts>`,
      ],
    ],
  },
];

function room(agent: AgentView, typed: Parameters<typeof roomLines>[1] = { cores: null, memory: null }): unknown {
  const names = ['Desktop', 'Notebook', 'A rather long name that somebody chose for an image', 'Render', 'Tool', 'Web'];
  const images = new Map(names.map((name) => [name, imageRow({ imageId: name, name })]));
  images.set('training', trainingImageRow());
  const sessions = new Map([['s-1', sessionRow({ imageId: 'training', agentId: agent.agentId })]]);
  return html`<mu-room .room=${roomLines(agent, typed, { images, sessions })}></mu-room>`;
}

function statistics(agent: AgentView): unknown {
  return statisticsOf(agent, NOON).map((statistic) => html`<mu-statistic .statistic=${statistic}></mu-statistic>`);
}

function timeline(place: number): unknown {
  const capacity = capacityView();
  return html`<mu-history-chart
    .timeline=${timelinesOf(dayOfUse(), capacity, DAY)[place] ?? null}
    .span=${DAY}
    .markers=${markersOf(capacity, DAY)}
  ></mu-history-chart>`;
}
