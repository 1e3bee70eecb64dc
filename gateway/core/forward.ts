import type { Relay } from '../../infra/bus/relay.ts';
import { LogError } from '../../infra/log/errors.ts';
import type { LogName } from '../../infra/log/port.ts';
import {
  ControllerUnavailable,
  LogReadOnly,
  SteppedDown,
  isControllerUnavailable,
  isSteppedDown,
  type Answer,
  type Submission,
} from '../controller/machine.ts';

/** What one gateway asks of another: to decide a command for a log that the other leads. */
interface ForwardedCommand {
  readonly log: LogName;
  readonly submission: Submission<unknown>;
}

type OnTrouble = (sentence: string, cause: unknown) => void;

type Reply =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** Has the gateway `gatewayId` decide. Rejects with SteppedDown when it does not lead, ControllerUnavailable otherwise. */
export async function forwardTo(
  relay: Relay,
  gatewayId: string,
  log: LogName,
  submission: Submission<unknown>,
): Promise<Answer> {
  const asked: ForwardedCommand = { log, submission };
  let reply: unknown;
  try {
    reply = await relay.ask(gatewayId, asked);
  } catch (error) {
    // Whether it was done is not known; under the same key it can be asked again, of whoever leads by then.
    throw new SteppedDown({ cause: error });
  }
  if (!isReply(reply))
    throw new ControllerUnavailable(`gateway ${gatewayId} answered in another language; update both`);
  if (reply.kind === 'answer') return reply.answer;
  throw failureOf(reply.code, reply.message);
}

/** Answers what other gateways ask, until the result is called; it resolves when what had arrived is answered. */
export function serveForwarded(
  relay: Relay,
  /** `asked` is the other's word, to be looked at. */
  decide: (log: LogName, asked: unknown) => Promise<Answer>,
  onTrouble: OnTrouble,
): () => Promise<void> {
  return relay.serve(async (asked): Promise<Reply> => {
    if (!isForwardedCommand(asked)) return { kind: 'failed', code: 'UNAVAILABLE', message: 'this is no command' };
    try {
      return { kind: 'answer', answer: await decide(asked.log, asked.submission) };
    } catch (error) {
      return failedBy(error, onTrouble);
    }
  });
}

/** What a defect says of the inside stays here, in this gateway's log. */
function failedBy(error: unknown, onTrouble: OnTrouble): Reply {
  if (isSteppedDown(error)) return { kind: 'failed', code: 'STEPPED_DOWN', message: '' };
  if (error instanceof LogReadOnly) return { kind: 'failed', code: error.code, message: error.message };
  if (isControllerUnavailable(error) || error instanceof LogError) {
    return { kind: 'failed', code: 'UNAVAILABLE', message: error.message };
  }
  onTrouble('a command that another gateway asked for failed', error);
  const message = 'something unexpected happened in the gateway that leads this log; its log says what';
  return { kind: 'failed', code: 'UNAVAILABLE', message };
}

function failureOf(code: string, message: string): Error {
  if (code === 'STEPPED_DOWN') return new SteppedDown();
  return code === 'LOG_READ_ONLY' ? new LogReadOnly(message) : new ControllerUnavailable(message);
}

function isForwardedCommand(value: unknown): value is ForwardedCommand {
  return isRecord(value) && typeof value['log'] === 'string' && isRecord(value['submission']);
}

function isReply(value: unknown): value is Reply {
  return isRecord(value) && (value['kind'] === 'answer' || value['kind'] === 'failed');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
