import { readFile } from 'node:fs/promises';
import { createContext, runInContext } from 'node:vm';

/** An event as a projection is handed it. */
export interface ProjectedEvent {
  readonly streamId: string;
  readonly sequenceNumber: number;
  readonly eventType: string;
  readonly isJson: boolean;
  readonly data: unknown;
  readonly metadata: unknown;
}

type Handler = (state: object, event: ProjectedEvent) => object | undefined;

export interface RunningProjection {
  /** The event types that it asks for. */
  readonly types: readonly string[];
  /** Hands it an event of the store, and then whatever it writes. */
  handle(event: ProjectedEvent): void;
  /** The links that it wrote, by stream: `<number>@<stream>`, as EventStoreDB writes them. */
  readonly links: ReadonlyMap<string, readonly string[]>;
}

const MOST_WRITES = 1_000;

/**
 * Runs the program of a projection as EventStoreDB's interpreter does: what defines it is there only while it is read,
 * `linkTo` only afterwards, and nothing else of a JavaScript environment at all. Links are events of the store too.
 */
export async function runProjection(file: string): Promise<RunningProjection> {
  const links = new Map<string, string[]>();
  const waiting: ProjectedEvent[] = [];
  let handlers: Readonly<Record<string, Handler>> | undefined;
  const when = (given: Readonly<Record<string, Handler>>): void => {
    if (handlers !== undefined) throw new Error('when was called twice');
    handlers = given;
  };
  const globals: Record<string, unknown> = { fromAll: () => ({ when }) };
  const context = createContext(globals);
  runInContext(await readFile(file, 'utf8'), context, { filename: file, timeout: 500 });
  delete globals['fromAll'];
  globals['linkTo'] = (stream: unknown, event: ProjectedEvent, ...more: readonly unknown[]): void => {
    if (typeof stream !== 'string' || stream.trim() === '' || more.length > 0)
      throw new TypeError('linkTo takes a stream and an event');
    const link = `${event.sequenceNumber}@${event.streamId}`;
    const written = links.get(stream) ?? [];
    links.set(stream, [...written, link]);
    const place = { streamId: stream, sequenceNumber: written.length };
    waiting.push({ ...place, eventType: '$>', isJson: false, data: link, metadata: null });
  };
  if (handlers === undefined) throw new Error(`${file} defines no projection`);
  const defined = handlers;
  let state: object = {};
  return {
    types: Object.keys(defined),
    links,
    handle(event) {
      waiting.push(event);
      for (let writes = 0; waiting.length > 0; writes += 1) {
        if (writes > MOST_WRITES) throw new Error('the projection writes because it has written');
        const next = waiting.shift();
        // Without a handler for any type it is handed the types that it names, and no others.
        const handler = next === undefined ? undefined : defined[next.eventType];
        if (next !== undefined && handler !== undefined) state = handler(state, next) ?? state;
      }
    },
  };
}
