import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import type { OutputEnd, OutputLine } from '../../domain/output.ts';
import type { Role } from '../../domain/people/role.ts';
import '../components/mu-empty.ts';
import '../components/mu-output.ts';
import '../components/mu-refusal.ts';
import { NO_OUTPUT, readOutput, withLines, type Output } from '../data/output.ts';
import { hasCode, isRefusal, Problem, type GatewayUnreachable } from '../data/problem.ts';
import { whyNot } from '../data/roles.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';

const AGAIN_MS = 2000;
/** What may be over soon, so that it is asked again without a word. */
const PASSING: ReadonlySet<string> = new Set([
  'AGENT_STOPPING',
  'AGENT_SILENT',
  'GATEWAY_STOPPING',
  'BUS_AWAY',
  'LINES_LOST',
]);

type Reading =
  | { readonly kind: 'idle' | 'asking' | 'reading' }
  | { readonly kind: 'again'; readonly why: string }
  | { readonly kind: 'ended'; readonly end: OutputEnd }
  | { readonly kind: 'refused'; readonly refusal: Problem | GatewayUnreachable };

/** What a session prints, read for as long as this is shown. */
export class MuSessionOutput extends LitElement {
  static override properties = {
    sessionId: { attribute: false },
    hasContainer: { attribute: false },
    may: { attribute: false },
    output: { state: true },
    reading: { state: true },
    paused: { state: true },
  };
  declare sessionId: string;
  /** An agent has it, so that there is something to read, or was. */
  declare hasContainer: boolean;
  declare may: Role;
  declare output: Output;
  declare reading: Reading;
  declare paused: boolean;
  #abort = new AbortController();
  #goOn: () => void = () => undefined;
  #newest: string | null = null;
  readonly #begun = new Map<OutputLine['from'], string>();

  static override styles = [
    base,
    section,
    css`
      mu-refusal {
        margin: var(--space-3);
      }
      .again {
        margin: 0 var(--space-3) var(--space-3);
      }
    `,
  ];

  constructor() {
    super();
    this.sessionId = '';
    this.hasContainer = false;
    this.may = 'viewer';
    this.output = NO_OUTPUT;
    this.reading = { kind: 'idle' };
    this.paused = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#abort.abort();
    this.#goOn();
    this.reading = { kind: 'idle' };
  }

  override render(): unknown {
    return html`<section aria-labelledby="output">
      <div class="top"><h2 id="output">Output</h2></div>
      ${this.#content()}
    </section>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('sessionId')) this.#forget();
    if (this.reading.kind === 'idle' && this.#mayRead) void this.#read();
  }

  get #mayRead(): boolean {
    return this.isConnected && this.hasContainer && whyNot(this.may, 'operator') === null;
  }

  #content(): unknown {
    const why = whyNot(this.may, 'operator');
    if (why !== null) return html`<mu-empty heading="What it prints is for operators"><p>${why}</p></mu-empty>`;
    if (!this.hasContainer) {
      return html`<mu-empty heading="Nothing is printed yet"
        ><p>What its program prints appears here as soon as its container runs.</p></mu-empty
      >`;
    }
    const { reading, output } = this;
    if (reading.kind === 'refused' && hasCode(reading.refusal, 'CONTAINER_GONE') && output.lines.length === 0) {
      return html`<mu-empty heading="Its output is gone"
        ><p>${reading.refusal.message} What has to be kept belongs on storage of the session's own.</p></mu-empty
      >`;
    }
    return html`<div class="panel">
      ${
        reading.kind === 'refused' && output.lines.length === 0
          ? nothing
          : html`<mu-output
              .output=${output}
              ?paused=${this.paused}
              ?over=${reading.kind === 'ended' || reading.kind === 'refused'}
              status=${statusOf(reading, this.paused, output)}
              @pause-wish=${this.#pauseWished}
            ></mu-output>`
      }
      ${
        reading.kind === 'refused'
          ? html`<mu-refusal .refusal=${reading.refusal}></mu-refusal>
              <button class="again" type="button" @click=${() => this.#read()}>Try again</button>`
          : nothing
      }
    </div>`;
  }

  readonly #pauseWished = ({ detail }: CustomEvent<boolean>): void => {
    this.paused = detail;
    if (!detail) this.#goOn();
  };

  #forget(): void {
    this.#abort.abort();
    this.#goOn();
    this.output = NO_OUTPUT;
    this.paused = false;
    this.#newest = null;
    this.#begun.clear();
    this.reading = { kind: 'idle' };
  }

  /** Goes on where it was left when the connection breaks, until it is over or refused. */
  async #read(): Promise<void> {
    this.#abort.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.reading = { kind: 'asking' };
    const handlers = {
      onLines: (lines: readonly OutputLine[]) => this.#take(lines, abort.signal),
      whenWanted: () => this.#wanted(),
    };
    while (!abort.signal.aborted) {
      let next: Reading;
      try {
        const end = await readOutput(this.sessionId, this.#newest, handlers, abort.signal);
        next = PASSING.has(end.code) ? { kind: 'again', why: end.sentence } : { kind: 'ended', end };
      } catch (error) {
        if (abort.signal.aborted) return;
        if (!isRefusal(error)) throw error;
        const passes = !(error instanceof Problem) || (this.#newest !== null && error.status === 503);
        next = passes ? { kind: 'again', why: 'the connection was lost' } : { kind: 'refused', refusal: error };
      }
      if (abort.signal.aborted) return;
      this.reading = next;
      if (next.kind !== 'again') return;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  #take(lines: readonly OutputLine[], signal: AbortSignal): void {
    if (signal.aborted) return;
    if (this.reading.kind !== 'reading') this.reading = { kind: 'reading' };
    this.#newest = lines.findLast(({ at }) => at !== null)?.at ?? this.#newest;
    this.output = withLines(this.output, lines, this.#begun);
  }

  /** Not reading on is all there is to a pause: what comes waits in the container's own log. */
  async #wanted(): Promise<void> {
    while (this.paused && !this.#abort.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#goOn = resolve;
      });
    }
  }
}

function statusOf(reading: Reading, paused: boolean, { lines }: Output): string {
  switch (reading.kind) {
    case 'ended':
      return reading.end.sentence;
    case 'again':
      return `Reading broke off: ${reading.why}. Trying again.`;
    case 'refused':
      return 'Reading broke off.';
    case 'idle':
    case 'asking':
    case 'reading':
      if (paused) return 'Paused: what is printed now waits, and comes when you go on.';
      return lines.length === 0 ? 'Reading; nothing has been printed yet.' : 'Following what it prints.';
  }
}

customElements.define('mu-session-output', MuSessionOutput);
