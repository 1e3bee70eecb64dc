import test from 'ava';
import { checkIn } from '../../domain/checkIn.ts';
import { aCheckIn, aGpu, aGpuUse, aHardware, GIB, observed } from '../support/builders.ts';

/** A GPU as agents of release 0.2 told of it. */
function gpuOfOld() {
  const { healthReason: _untold, ...gpu } = aGpu(0, { health: 'failed' });
  return gpu;
}

test('a check-in of an earlier release is read, with what it did not tell as unknown', (t) => {
  const figures = { uuid: 'GPU-0', utilizationPercent: 0, memoryUsedBytes: GIB, temperatureCelsius: 1, powerWatts: 2 };
  const session = { sessionId: 's1', millicores: 1, memoryBytes: 2 };
  const old = {
    ...aCheckIn(),
    hardware: { ...aHardware(), gpus: [gpuOfOld()] },
    usage: { ...aCheckIn().usage, gpus: [figures], sessions: [session] },
  };
  const { hardware, usage } = checkIn.parse(old);
  t.deepEqual(hardware.gpus, [aGpu(0, { health: 'failed', healthReason: null })]);
  t.deepEqual(usage.gpus, [aGpuUse(0, figures)]);
  t.deepEqual(usage.sessions, [{ ...session, gpus: [] }]);
});

test('a digest that is none is not taken from an agent', (t) => {
  const told = (imageDigest: string) =>
    checkIn.safeParse(aCheckIn({ sessions: [observed('running', { imageDigest })] })).success;
  t.true(told(`sha256:${'a'.repeat(64)}`));
  for (const wrong of [
    '',
    'latest',
    `sha256:${'a'.repeat(63)}`,
    `sha512:${'a'.repeat(64)}`,
    `sha256:${'A'.repeat(64)}`,
  ]) {
    t.false(told(wrong), wrong);
  }
});
