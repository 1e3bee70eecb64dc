import { html } from 'lit';
import type { AgentView, SessionPhase } from '../../projections/views.ts';
import { barsOf } from '../data/bars.ts';
import { Problem } from '../data/problem.ts';
import { everyKey, everyPerson, everyToken } from './accessRows.ts';
import { sessionEntries } from './sessionRows.ts';
import { agentPageEntries } from './agentPageEntries.ts';
import type { GalleryEntry } from './entry.ts';
import {
  agentRow,
  GIB,
  gpuAgentRow,
  imageRow,
  NOON,
  placedExplanation,
  refusedByManyExplanation,
  refusedExplanation,
  secondsBefore,
  sessionRow,
  trainingImageRow,
  wornGpuRow,
} from './fixtures.ts';
import { tableEntries } from './tableEntries.ts';

const OVER = agentRow({ capacity: { millicores: 4000, memoryBytes: 12 * GIB, gpus: 0 } });
const MISSING = agentRow({
  connectivity: 'missing',
  sentence: 'Missing: it has stopped checking in.',
  lastCheckInAt: secondsBefore(260),
});
const NOT_MEASURED = agentRow({ used: null, lastCheckInAt: null });
const HUGE = gpuAgentRow({
  hostname: 'a-host-with-a-rather-long-name-that-somebody-chose.rack-17.example.internal',
  physical: { millicores: 512_000, memoryBytes: 6.1 * 1024 * GIB, gpus: 16 },
  capacity: { millicores: 512_000, memoryBytes: 6.1 * 1024 * GIB, gpus: 16 },
  allocated: { millicores: 499_500, memoryBytes: 6 * 1024 * GIB, gpus: 16 },
});
const REFUSAL = new Problem({
  status: 409,
  code: 'CONFIRM_NEEDED',
  title: 'Confirm needed',
  detail: '120 cores are x20.0 of 6 cores; say so again with confirm.',
});
const ALL_PHASES: readonly SessionPhase[] = [
  'waiting',
  'placed',
  'starting',
  'running',
  'stopping',
  'unknown',
  'refused',
  'cancelled',
  'ended',
];

export const entries: readonly GalleryEntry[] = [
  {
    component: 'mu-bar',
    states: [
      ['as usual, with an override', bars(agentRow())],
      ['over-allocated', bars(OVER)],
      ['stale', bars(MISSING)],
      ['not measured yet', bars(NOT_MEASURED)],
      ['huge', bars(HUGE)],
    ],
  },
  ...tableEntries,
  {
    component: 'mu-gpus',
    states: [
      ['held, free, failed, not usable', html`<mu-gpus .agent=${gpuAgentRow()} .now=${NOON}></mu-gpus>`],
      ['worn, with an Xid, in MIG mode', html`<mu-gpus .agent=${wornGpuRow()} .now=${NOON}></mu-gpus>`],
      ['none', html`<mu-gpus .agent=${agentRow()}></mu-gpus>`],
    ],
  },
  {
    component: 'mu-sessions',
    states: [
      [
        'every phase',
        html`<mu-sessions
          .sessions=${ALL_PHASES.map((phase) => sessionRow({ sessionId: `s-${phase}`, phase, sentence: `This is ${phase}.` }))}
          .agents=${new Map([['host-1', agentRow({ simulated: true })]])}
          .images=${new Map([['desktop', imageRow()]])}
          .now=${NOON}
        ></mu-sessions>`,
      ],
      [
        'for a viewer',
        html`<mu-sessions
          .sessions=${[sessionRow()]}
          .images=${new Map([['desktop', imageRow()]])}
          .now=${NOON}
          .may=${'viewer'}
        ></mu-sessions>`,
      ],
      [
        'pulling its image, and unhealthy',
        html`<mu-sessions
          .sessions=${[
            sessionRow({
              phase: 'starting',
              sentence: 'Starting on host-1: pulling its image, 45 % (3 of 7 layers).',
              pull: { layersDone: 3, layersTotal: 7, bytesDone: 459, bytesTotal: 1000, attempt: 1 },
            }),
            sessionRow({
              sessionId: 's-unhealthy',
              sentence: 'Running on host-1, but its health check fails.',
              health: 'unhealthy',
            }),
          ]}
          .images=${new Map([['desktop', imageRow()]])}
          .now=${NOON}
        ></mu-sessions>`,
      ],
    ],
  },
  ...sessionEntries,
  {
    component: 'mu-people, mu-keys, mu-tokens',
    states: [
      [
        'people in every state',
        html`<mu-people .people=${everyPerson()} .now=${NOON} .self=${'admin-anna'}></mu-people>`,
      ],
      ['manager tokens', html`<mu-tokens .tokens=${everyToken()} .now=${NOON}></mu-tokens>`],
      ['keys: used, without end, ending soon, expired', html`<mu-keys .keys=${everyKey()} .now=${NOON}></mu-keys>`],
    ],
  },
  {
    component: 'mu-secret',
    states: [
      [
        'a key',
        html`<mu-secret
          label="Access key"
          text="mk_k3fwq2m7xa4b_this-is-no-key-and-opens-nothing-at-all-anywhere"
        ></mu-secret>`,
      ],
    ],
  },
  {
    component: 'mu-images',
    states: [
      ['plain, and with a GPU', html`<mu-images .images=${[imageRow(), trainingImageRow()]}></mu-images>`],
      ['for an operator', html`<mu-images .images=${[imageRow()]} .may=${'operator'}></mu-images>`],
    ],
  },
  {
    component: 'mu-explanation',
    states: [
      ['placed', html`<mu-explanation tense="result" .explanation=${placedExplanation()}></mu-explanation>`],
      ['would be placed', html`<mu-explanation tense="plan" .explanation=${placedExplanation()}></mu-explanation>`],
      ['refused', html`<mu-explanation tense="result" .explanation=${refusedExplanation()}></mu-explanation>`],
      [
        'a large fleet',
        html`<mu-explanation tense="result" .explanation=${refusedByManyExplanation()}></mu-explanation>`,
      ],
      [
        'no agent',
        html`<mu-explanation
          tense="plan"
          .explanation=${{ ...refusedExplanation(), agents: 0, codes: {}, candidates: [] }}
        ></mu-explanation>`,
      ],
    ],
  },
  ...agentPageEntries,
  {
    component: 'mu-banner, mu-refusal, mu-empty',
    states: [
      ['information', html`<mu-banner><span>Simulated agents.</span></mu-banner>`],
      [
        'warning',
        html`<mu-banner tone="warn"><span>Connection lost.</span><button type="button">Try now</button></mu-banner>`,
      ],
      ['refused', html`<mu-refusal .refusal=${REFUSAL}></mu-refusal>`],
      [
        'empty',
        html`<mu-empty heading="No image is defined yet"
          ><p>An image says what a session is started from.</p></mu-empty
        >`,
      ],
    ],
  },
  {
    component: 'mu-switch, mu-state',
    states: [
      ['on', html`<mu-switch label="Enabled" context="host-1" .checked=${true}></mu-switch>`],
      ['off', html`<mu-switch label="Enabled" context="host-2" .checked=${false}></mu-switch>`],
      ['saving', html`<mu-switch label="Enabled" context="host-3" .saving=${true}></mu-switch>`],
      [
        'every tone',
        (['ok', 'busy', 'idle', 'warn', 'danger'] as const).map(
          (tone) => html`<mu-state tone=${tone} text=${tone}></mu-state>`,
        ),
      ],
    ],
  },
];

function bars(row: AgentView): unknown {
  return barsOf(row, NOON).map((bar) => html`<mu-bar .bar=${bar}></mu-bar>`);
}
