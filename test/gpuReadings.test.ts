import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parseGpuQuery } from '../agent/gpu/gpuQuery.ts';
import { gpuReader } from '../agent/gpu/nvidiaSmi.ts';
import { nvidiaFixture, stubNvidiaSmi } from './support/nvidiaSmi.ts';

async function pathWith(t: ExecutionContext, fixture: string | null): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-smi-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return `${await stubNvidiaSmi(folder, fixture)}:${process.env['PATH'] ?? ''}`;
}

async function parsed(fixture: string) {
  return parseGpuQuery(await readFile(nvidiaFixture(fixture), 'utf8'));
}

test('a GPU is read with its memory in bytes', async (t) => {
  t.deepEqual(await parsed('one-h200.csv'), [
    {
      index: 0,
      uuid: 'GPU-5d1b0f3e-6c0a-4f65-9f5c-0d2b7a3c9e11',
      model: 'NVIDIA H200',
      memoryBytes: 143_771 * 1_048_576,
      driver: '570.124.06',
      pciAddress: '00000000:18:00.0',
      migMode: 'off',
      uncorrectedErrors: 0,
      utilizationPercent: 37,
      memoryUsedBytes: 20_480 * 1_048_576,
      temperatureCelsius: 41,
      powerWatts: 212.34,
    },
  ]);
});

test('several models on one host are read each with its own gaps', async (t) => {
  const gpus = await parsed('eight-mixed.csv');
  t.deepEqual(
    gpus.map((gpu) => [gpu.index, gpu.migMode, gpu.uncorrectedErrors, gpu.utilizationPercent, gpu.powerWatts]),
    [
      [0, 'off', 0, 0, 76.52],
      [1, 'on', 0, null, 77.01],
      [2, 'off', 2, 100, 398.9],
      [3, 'off', 0, 12, 101],
      [4, null, 0, 3, 35.2],
      [5, null, null, 0, 18.75],
      [6, null, 0, 0, 9.8],
      [7, null, null, 55, null],
    ],
  );
});

test('what the driver does not say is unknown, never zero', async (t) => {
  t.deepEqual(await parsed('not-available.csv'), [
    {
      index: 0,
      uuid: 'GPU-22222222-bbbb-4bbb-8bbb-000000000000',
      model: 'unknown',
      memoryBytes: null,
      driver: null,
      pciAddress: '',
      migMode: null,
      uncorrectedErrors: null,
      utilizationPercent: null,
      memoryUsedBytes: null,
      temperatureCelsius: null,
      powerWatts: null,
    },
  ]);
});

test('half a line is no reading', async (t) => {
  await t.throwsAsync(() => parsed('half-a-line.csv'), { code: 'GPU_QUERY_UNREADABLE' });
  t.like(await gpuReader({ path: await pathWith(t, 'half-a-line.csv') })(), { kind: 'failed' });
});

test('a host without nvidia-smi has no GPU', async (t) => {
  t.deepEqual(await gpuReader({ path: '/nowhere' })(), { kind: 'none' });
});

test('a driver without devices is a host without GPUs, not a failure', async (t) => {
  t.deepEqual(await gpuReader({ path: await pathWith(t, 'no-devices.exit6.txt') })(), { kind: 'ok', gpus: [] });
});

test('a driver that fails is a failure with its own words', async (t) => {
  const mismatch = await gpuReader({ path: await pathWith(t, 'driver-mismatch.exit18.txt') })();
  t.regex(mismatch.kind === 'failed' ? mismatch.message : '', /ended with 18: .*version mismatch/);
  const away = await gpuReader({ path: await pathWith(t, 'no-driver.exit9.txt') })();
  t.regex(away.kind === 'failed' ? away.message : '', /couldn't communicate/);
});

test('nvidia-smi on the path is asked and read', async (t) => {
  const result = await gpuReader({ path: await pathWith(t, 'eight-mixed.csv') })();
  t.is(result.kind === 'ok' ? result.gpus.length : 0, 8);
});

test('nvidia-smi that hangs is killed at the time limit, and asked again later', async (t) => {
  const read = gpuReader({ path: await pathWith(t, null), timeLimitMs: 200 });
  const began = performance.now();
  t.like(await read(), { kind: 'failed' });
  t.true(performance.now() - began < 3_000);
  const again = await read();
  t.regex(again.kind === 'failed' ? again.message : '', /did not answer within 0.2 s/);
});
