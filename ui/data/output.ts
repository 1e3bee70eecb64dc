import { plainText } from '../../domain/plainText.ts';
import type { OutputEnd, OutputLine } from '../../domain/output.ts';
import { openOutput } from './gateway.ts';
import { GatewayUnreachable } from './problem.ts';

/** Lines that the page keeps: the newest. */
export const KEPT_LINES = 5000;

/** One line as it is shown. */
export interface ShownLine {
  /** Counts up from the first that this page has seen. */
  readonly number: number;
  /** ISO 8601; null: not told. */
  readonly at: string | null;
  readonly isError: boolean;
  readonly text: string;
}

/** The newest lines, none with anything in it that is not text. Never changed in place. */
export interface Output {
  readonly lines: readonly ShownLine[];
  /** How many older ones were let go. */
  readonly dropped: number;
}

export const NO_OUTPUT: Output = { lines: [], dropped: 0 };

/** With further lines behind, and of a line that went on only one. */
export function withLines(output: Output, added: readonly OutputLine[], open: Map<OutputLine['from'], string>): Output {
  let number = (output.lines.at(-1)?.number ?? output.dropped) + 1;
  const shown: ShownLine[] = [];
  for (const { at, from, text, goesOn } of added) {
    const whole = `${open.get(from) ?? ''}${text}`;
    if (goesOn && whole.length < LONGEST) {
      open.set(from, whole);
      continue;
    }
    open.delete(from);
    shown.push({ number, at, isError: from === 'stderr', text: plainText(whole) });
    number += 1;
  }
  if (shown.length === 0) return output;
  const lines = [...output.lines, ...shown];
  const over = Math.max(0, lines.length - KEPT_LINES);
  return { lines: over === 0 ? lines : lines.slice(over), dropped: output.dropped + over };
}

/** Characters of one line; a longer one is cut in two. */
const LONGEST = 16_384;

export interface OutputHandlers {
  readonly onLines: (lines: readonly OutputLine[]) => void;
  /** Resolves when more may be read: until then the gateway, and the agent behind it, wait. */
  readonly whenWanted: () => Promise<void>;
}

/**
 * Reads what a session prints until that is over, and says why. `after` is the time of the newest line that is known, null for the
 * last ones there are. Throws Problem, GatewayUnreachable when the connection broke, and AbortError.
 */
export async function readOutput(
  sessionId: string,
  after: string | null,
  { onLines, whenWanted }: OutputHandlers,
  signal: AbortSignal,
): Promise<OutputEnd> {
  const body = await openOutput(sessionId, after, signal);
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  try {
    for (;;) {
      await whenWanted();
      const { value, done } = await reader.read();
      if (done) throw new GatewayUnreachable(null);
      text += value;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data === undefined) continue;
        if (block.includes('event: end\n')) {
          const ended: OutputEnd = JSON.parse(data);
          return ended;
        }
        const lines: readonly OutputLine[] = JSON.parse(data);
        onLines(lines);
      }
    }
  } catch (error) {
    if (error instanceof TypeError) throw new GatewayUnreachable(error);
    throw error;
  }
}
