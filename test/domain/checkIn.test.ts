import test from 'ava';
import { checkIn } from '../../domain/checkIn.ts';
import { aCheckIn, aGpu, aHardware } from '../support/builders.ts';

/** A GPU as agents of release 0.2 told of it. */
function gpuOfOld() {
  const { healthReason: _untold, ...gpu } = aGpu(0, { health: 'failed' });
  return gpu;
}

test('a check-in of an earlier release is read, with what it did not tell as unknown', (t) => {
  const old = { ...aCheckIn(), hardware: { ...aHardware(), gpus: [gpuOfOld()] } };
  const { hardware } = checkIn.parse(old);
  t.deepEqual(hardware.gpus, [aGpu(0, { health: 'failed', healthReason: null })]);
});
