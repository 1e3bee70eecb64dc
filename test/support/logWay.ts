import { LogError, LogErrorCode } from '../../infra/log/errors.ts';
import type { EventLog } from '../../infra/log/port.ts';

/** The log at the end of a way that may be closed: nothing else is lost with it. */
export function beyond(inner: EventLog, way: { readonly isOpen: boolean }): EventLog {
  const assertOpen = (): void => {
    if (!way.isOpen) throw new LogError(LogErrorCode.LogUnavailable, 'the log cannot be reached from here');
  };
  return {
    ...inner,
    async append(name, expected, commit) {
      assertOpen();
      return await inner.append(name, expected, commit);
    },
    async *read(name, after) {
      assertOpen();
      yield* inner.read(name, after);
    },
    async *follow(name, after, signal) {
      for await (const stored of inner.follow(name, after, signal)) {
        assertOpen();
        yield stored;
      }
    },
  };
}
