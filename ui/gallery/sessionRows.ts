import { html } from 'lit';
import type { AnyEvent } from '../../domain/events.ts';
import type { OutputLine } from '../../domain/output.ts';
import { withLines, NO_OUTPUT, type Output } from '../data/output.ts';
import { timelineOf } from '../data/timeline.ts';
import { agentRow, GIB, imageRow, NOON, secondsBefore, sessionRow } from './fixtures.ts';

/** What the page of one session is made of, in its edge states. */

const SESSION = 's-7f3k2q';

function event(secondsAgo: number, type: string, data: object, change: object = {}, now = NOON): AnyEvent {
  const id = `${type}-${secondsAgo}`;
  return {
    id,
    type,
    schemaVersion: 1,
    occurredAt: secondsBefore(secondsAgo, now),
    actor: { kind: 'system', id: 'placement' },
    correlationId: id,
    causationId: id,
    data: { sessionId: SESSION, ...data },
    ...change,
  } as unknown as AnyEvent;
}

const REFUSAL = {
  agents: 12,
  codes: { MEMORY_SHORT: 9, AGENT_DISABLED: 3 },
  nearest: [{ agentId: 'host-3', sentence: '412 MB short, or end session s-81' }],
};

/** From the request to its end: it waited, was placed, pulled, ran and was stopped by an operator. */
export function wholeLife(now: number = NOON): readonly AnyEvent[] {
  const { name: _, position: __, ...image } = imageRow();
  const by = { actor: { kind: 'operator', id: 'anna' } };
  const on = { agentId: 'host-1' };
  const of = (secondsAgo: number, type: string, data: object, change: object = {}): AnyEvent =>
    event(secondsAgo, type, data, change, now);
  return [
    of(1900, 'SessionRequested', { image, priority: 5, whenFull: 'queue', maxWaitSeconds: 600, agentId: null }, by),
    of(1900, 'SessionWaiting', { refusal: REFUSAL }),
    of(1700, 'SessionPlaced', { ...on, claim: { millicores: 2000, memoryBytes: 4 * GIB, gpuUuids: [] } }),
    of(1699, 'SessionStarting', on),
    of(1650, 'SessionStarted', { ...on, containerId: 'c1', imageDigest: null, endpoints: [] }),
    of(
      60,
      'SessionStopRequested',
      { ...on, cause: 'OPERATOR', exitCode: null },
      { ...by, reason: 'the lesson is over' },
    ),
    of(58, 'SessionEnded', { ...on, cause: 'OPERATOR', exitCode: 0 }),
  ];
}

export function outputLine(text: string, change: Partial<OutputLine> = {}): OutputLine {
  return { at: '2026-11-27T10:00:00.000000000Z', from: 'stdout', text, goesOn: false, ...change };
}

function printed(count: number): Output {
  const lines = Array.from({ length: count }, (_, index) =>
    outputLine(`step ${index + 1}: loss ${(2 / (index + 1)).toFixed(4)}`),
  );
  return withLines(NO_OUTPUT, lines, new Map());
}

const ODD = withLines(
  NO_OUTPUT,
  [
    outputLine('\u001B[1;32mok\u001B[0m with colours that are left out'),
    outputLine('10 %\r50 %\r100 %'),
    outputLine('Traceback (most recent call last):', { from: 'stderr' }),
    outputLine('\tindented by a tab'),
    outputLine('a line without end '.repeat(40)),
    outputLine('<b>no markup</b> 🙂 grüße'),
  ],
  new Map(),
);

const PULL = { layersDone: 3, layersTotal: 7, bytesDone: 459, bytesTotal: 1000, attempt: 2 };
const ENDED = sessionRow({ phase: 'ended', endedAt: secondsBefore(58), cause: 'OPERATOR', exitCode: 0 });
const FAILED = [
  ...wholeLife().slice(0, 4),
  event(1600, 'SessionStartFailed', { agentId: 'host-1', code: 'IMAGE_NOT_FOUND', detail: 'the image is not there' }),
  event(1590, 'SessionEnded', { agentId: 'host-1', cause: 'START_FAILED', exitCode: null }),
];

export const sessionEntries = [
  {
    component: 'mu-timeline',
    states: [
      ['a whole life', html`<mu-timeline .steps=${timelineOf(ENDED, wholeLife(), NOON)}></mu-timeline>`],
      [
        'pulling its image',
        html`<mu-timeline
          .steps=${timelineOf(
            sessionRow({
              phase: 'starting',
              sentence: 'Starting on host-1: pulling its image, 45 % (3 of 7 layers), try 2.',
              pull: PULL,
            }),
            wholeLife().slice(0, 4),
            NOON,
          )}
        ></mu-timeline>`,
      ],
      ['it could not be started', html`<mu-timeline .steps=${timelineOf(ENDED, FAILED, NOON)}></mu-timeline>`],
      [
        'unknown',
        html`<mu-timeline
          .steps=${timelineOf(
            sessionRow({
              phase: 'unknown',
              sentence: 'Unknown: host-1 has stopped checking in. It may still run there.',
            }),
            wholeLife().slice(0, 5),
            NOON,
          )}
        ></mu-timeline>`,
      ],
    ],
  },
  {
    component: 'mu-output',
    states: [
      ['following', html`<mu-output .output=${printed(40)} status="Following what it prints."></mu-output>`],
      ['paused', html`<mu-output .output=${printed(3)} paused status="Paused."></mu-output>`],
      [
        'more than is kept',
        html`<mu-output .output=${printed(5100)} over status="The container has ended."></mu-output>`,
      ],
      ['odd lines', html`<mu-output .output=${ODD} status="Following what it prints."></mu-output>`],
      ['nothing yet', html`<mu-output status="Reading; nothing has been printed yet."></mu-output>`],
    ],
  },
  {
    component: 'mu-sessions, selectable',
    states: [
      [
        'one of two',
        html`<mu-sessions
          label="Two sessions to select from"
          .sessions=${[sessionRow(), sessionRow({ sessionId: 's-other' })]}
          .agents=${new Map([['host-1', agentRow()]])}
          .images=${new Map([['desktop', imageRow()]])}
          .now=${NOON}
          .selected=${new Set([SESSION])}
        ></mu-sessions>`,
      ],
    ],
  },
] as const;
