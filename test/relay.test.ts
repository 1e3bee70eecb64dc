import test from 'ava';
import { isBusUnreachable } from '../infra/bus/errors.ts';
import { createBusRelay } from '../infra/bus/relay.ts';
import { startNats } from './support/nats.ts';

test('a gateway that stops answers what had arrived; afterwards it is gone, and nobody waits for it', async (t) => {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const [asking, serving] = [await nats.connect('log'), await nats.connect('log')];
  const begun = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const stop = createBusRelay(serving, 'one').serve(async (request) => {
    begun.resolve();
    await goOn.promise;
    return request;
  });
  await serving.connection.flush();
  const relay = createBusRelay(asking, 'two');
  const asked = Array.from({ length: 200 }, (_, index) => relay.ask('one', index));
  await begun.promise;
  const stopped = stop();
  goOn.resolve();
  await stopped;
  await serving.close();
  const answers = await Promise.all(asked);
  t.deepEqual(answers, [...answers.keys()]);
  const error = await t.throwsAsync(relay.ask('one', 'more'));
  t.true(isBusUnreachable(error));
  t.true(await relay.isGone('one'));
});
