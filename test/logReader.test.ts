import test from 'ava';
import { codeOf, LOCAL_KEY, memoryApp } from './support/memoryApp.ts';

/** Readers of logs take room in the bus that gateways need, too. */

test('so many readings of logs are under way for one caller, and others are served meanwhile', async (t) => {
  const muster = await memoryApp(t);
  const { secret } = await muster.admin<{ readonly secret: string }>('POST', '/keys', { name: 'x', role: 'viewer' });
  const read = Promise.withResolvers<void>();
  const actor = { kind: 'operator', id: 'admin' } as const;
  const readings = Array.from({ length: 16 }, () => muster.edge.logReader.page({ actor }, () => read.promise));
  const refused = await muster.ask('GET', '/events', { key: LOCAL_KEY });
  t.deepEqual(codeOf(refused), [429, 'TOO_MANY_UNDER_WAY']);
  t.is(refused.headers['retry-after'], '1');
  t.is((await muster.ask('GET', '/events', { key: secret })).status, 200);
  read.resolve();
  await Promise.all(readings);
  t.is((await muster.ask('GET', '/events', { key: LOCAL_KEY })).status, 200);
});
