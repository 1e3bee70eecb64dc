import { hasErrno } from './errors.ts';

/** What a shell says of a program that SIGPIPE ended. Node does not let that signal in, so it is said by hand. */
const NOBODY_READS = 141;

/** From now on this process ends quietly when nobody reads any more what it prints, as after `… | head -1`. */
export function endWhenUnread(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', endIfGone);
}

/** From now on this process goes on when nobody reads any more what it prints: its work has to come to an end in order. */
export function goOnUnread(): void {
  for (const stream of [process.stdout, process.stderr]) stream.off('error', endIfGone).on('error', throwUnlessGone);
}

function endIfGone(error: Error): void {
  throwUnlessGone(error);
  process.exit(NOBODY_READS);
}

function throwUnlessGone(error: Error): void {
  if (!hasErrno(error, 'EPIPE', 'EIO')) throw error;
}
