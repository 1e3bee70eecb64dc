import type { ExecutionContext } from 'ava';
import type { CheckIn, ObservedSession } from '../../domain/checkIn.ts';
import { dockerOf, type TestEngine } from './engine.ts';

/** Log and session ids of one test, whose containers are removed from the shared engine after it. */
export function uniqueIds(
  t: ExecutionContext,
  engine: Pick<TestEngine, 'host'>,
): { readonly logId: string; readonly sessionId: string } {
  const unique = `${process.pid}-${process.hrtime.bigint()}`;
  const logId = `log-${unique}`;
  t.teardown(async () => {
    const docker = dockerOf(engine);
    const left = await docker.listContainers({ all: true, filters: { label: [`muster.log=${logId}`] } });
    await Promise.all(left.map((each) => docker.getContainer(each.Id).remove({ force: true, v: true })));
  });
  return { logId, sessionId: `s-${unique}` };
}

/** What a check-in says of one session. */
export function sessionIn(said: CheckIn, sessionId: string): ObservedSession | undefined {
  return said.sessions.find((session) => session.sessionId === sessionId);
}
