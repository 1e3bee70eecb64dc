import test from 'ava';
import { agentRig } from './support/agentRig.ts';
import { desired, plainImage, wanted } from './support/desired.ts';

test('the images of the host are read once a minute, and again at once after a pull', async (t) => {
  let reads = 0;
  const latencyMs = (call: string): number => {
    if (call === 'images') reads += 1;
    return call === 'pull' ? 3000 : 5;
  };
  const rig = agentRig({ images: new Set(['debian:12']), latencyMs });
  const stop = rig.start();
  await rig.clock.advance(50_000);
  t.is(reads, 1);
  t.deepEqual(
    rig.bus.last?.images?.map(({ references }) => references),
    [['debian:12']],
  );
  rig.bus.put(desired(1, [wanted('s1')]));
  await rig.clock.until(() => rig.bus.last?.sessions[0]?.status === 'running');
  await rig.clock.advance(11_000);
  t.is(reads, 2);
  t.deepEqual(
    rig.bus.last?.images?.map(({ references }) => references),
    [[plainImage.reference], ['debian:12']],
  );
  await rig.clock.advance(61_000);
  t.is(reads, 3);
  await stop();
});
