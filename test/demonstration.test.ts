import test from 'ava';
import { demonstrate } from '../gateway/demonstration.ts';
import { realClock } from '../infra/clock.ts';
import { memoryApp } from './support/memoryApp.ts';

test('a simulated fleet gets images and sessions once, though its manager token is in the log before', async (t) => {
  const muster = await memoryApp(t);
  await muster.admin('POST', '/manager-tokens', {});
  const { signal } = new AbortController();
  await demonstrate(muster.core, realClock, 0, signal);
  t.true(muster.core.fleetProjection.images.size > 0);
  t.is(muster.core.zones.get('default')?.projection.sessions.size, 27);
  const { version } = muster.core.fleet;
  await demonstrate(muster.core, realClock, 0, signal);
  t.is(muster.core.fleet.version, version, 'and no more when it is started again');
});
