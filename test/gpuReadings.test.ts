import test from 'ava';
import { inventoryIn, loadIn, withMigNames } from '../agent/gpu/answers.ts';
import { UNTOLD, type GpuReading } from '../agent/gpu/gpuReading.ts';
import { parseLoadQuery } from '../agent/gpu/loadQuery.ts';
import { parseSmiDocument } from '../agent/gpu/smiDocument.ts';
import { parseSmiList } from '../agent/gpu/smiList.ts';
import { exitCodeOf, nvidiaText } from './support/nvidiaSmi.ts';

const MIB = 1_048_576;

async function gpusIn(fixture: string): Promise<readonly GpuReading[]> {
  return parseSmiDocument(await nvidiaText(fixture)).gpus;
}

async function answer(fixture: string) {
  return { kind: 'said', code: exitCodeOf(fixture), stdout: await nvidiaText(fixture), stderr: '' } as const;
}

test('a GPU is read whole, with its memory in bytes', async (t) => {
  t.deepEqual(await gpusIn('one-h200.xml'), [
    {
      index: 0,
      uuid: 'GPU-5d1b0f3e-6c0a-4f65-9f5c-0d2b7a3c9e11',
      model: 'NVIDIA H200',
      memoryBytes: 143_771 * MIB,
      driver: '570.124.06',
      pciAddress: '00000000:18:00.0',
      migMode: 'off',
      migInstances: [],
      outcry: null,
      recovery: 'none',
      volatileUncorrected: 0,
      aggregateUncorrected: 0,
      retiredPages: null,
      remappedRows: 0,
      retirementPending: false,
      remapFailed: false,
      slowedByHeat: false,
      utilizationPercent: 37,
      memoryUsedBytes: 20_480 * MIB,
      temperatureCelsius: 41,
      powerWatts: 212.34,
      processes: [
        { pid: 41_394, type: 'C', memoryBytes: 20_112 * MIB },
        { pid: 41_782, type: 'C', memoryBytes: 352 * MIB },
        { pid: 2210, type: 'G', memoryBytes: 4 * MIB },
      ],
    },
  ]);
});

test('several models on one host are read each with its own gaps, numbered as nvidia-smi does', async (t) => {
  const gpus = await gpusIn('eight-mixed.xml');
  t.deepEqual(
    gpus.map((gpu) => [gpu.index, gpu.model, gpu.migMode, gpu.volatileUncorrected, gpu.utilizationPercent]),
    [
      [0, 'NVIDIA H200', 'off', 0, 0],
      [1, 'NVIDIA H200', 'on', 0, null],
      [2, 'NVIDIA A100-SXM4-80GB', 'off', 0, 100],
      [3, 'NVIDIA A100-SXM4-80GB', 'off', 0, 12],
      [4, 'NVIDIA L40S', null, 0, 3],
      [5, 'NVIDIA RTX 6000 Ada Generation', null, null, 0],
      [6, 'Tesla T4', null, 0, 0],
      [7, 'NVIDIA GeForce RTX 4090', null, null, 55],
    ],
  );
  t.deepEqual(
    gpus.map((gpu) => [gpu.retiredPages, gpu.remappedRows, gpu.retirementPending, gpu.powerWatts]),
    [
      [null, 0, false, 76.52],
      [null, 0, false, 77.01],
      [null, 0, false, 398.9],
      [null, 2, false, 101],
      [null, 0, false, 35.2],
      [null, 0, false, 18.75],
      [0, null, false, 9.8],
      [null, null, null, null],
    ],
  );
});

test('memory errors and what became of the memory are told by old devices and new ones in their own ways', async (t) => {
  const gpus = await gpusIn('ecc-errors.xml');
  t.deepEqual(
    gpus.map((gpu) => [gpu.volatileUncorrected, gpu.aggregateUncorrected, gpu.retiredPages, gpu.remappedRows]),
    [
      [3, 5, null, 1],
      [0, 41, null, 12],
      [0, 2, 3, null],
      [0, 0, 0, null],
    ],
  );
  t.deepEqual(
    gpus.map((gpu) => [gpu.retirementPending, gpu.remapFailed, gpu.slowedByHeat]),
    [
      [true, false, false],
      [false, true, false],
      [true, null, false],
      [false, null, true],
    ],
  );
});

test('what the driver does not say is unknown, never zero', async (t) => {
  const [gpu] = await gpusIn('not-available.xml');
  t.deepEqual(gpu, { ...UNTOLD, index: 0, uuid: 'GPU-22222222-bbbb-4bbb-8aaa-000000000000' });
  const figures = { utilizationPercent: null, memoryUsedBytes: null, temperatureCelsius: null, powerWatts: null };
  t.deepEqual([...parseLoadQuery(await nvidiaText('not-available.load.csv')).values()], [figures, figures]);
});

test('values that no device can have are unknown: they would spoil a whole check-in', async (t) => {
  const one = await nvidiaText('one-h200.xml');
  const odd = one
    .replace('<gpu_util>37 %', '<gpu_util>4294967 %')
    .replace('<used>20480 MiB', '<used>-1 MiB')
    .replaceAll('<dram_uncorrectable>0<', '<dram_uncorrectable>18446744073709551615<')
    .replace('<pid>2210<', '<pid>0<');
  const [gpu] = parseSmiDocument(odd).gpus;
  t.like(gpu, { utilizationPercent: null, memoryUsedBytes: null, volatileUncorrected: 0 });
  t.is(gpu?.processes.length, 2);
});

test('MIG instances are told by the document, their names by the list', async (t) => {
  const gpus = await gpusIn('mig-on.xml');
  t.is(gpus[0]?.migMode, 'on');
  t.deepEqual(gpus[0]?.processes, [{ pid: 51_001, type: 'C', memoryBytes: null }]);
  const named = withMigNames(gpus, parseSmiList(await nvidiaText('mig-on.list.txt')));
  const uuid = (n: number) => `MIG-64a1c9d0-0000-5000-8000-00000000000${n}`;
  t.deepEqual(named[0]?.migInstances, [
    { index: 0, gpuInstance: 2, computeInstance: 0, memoryBytes: 40_192 * MIB, uuid: uuid(1), profile: '3g.40gb' },
    { index: 1, gpuInstance: 3, computeInstance: 0, memoryBytes: 19_968 * MIB, uuid: uuid(2), profile: '2g.20gb' },
    { index: 2, gpuInstance: 9, computeInstance: 0, memoryBytes: 9_728 * MIB, uuid: uuid(3), profile: '1g.10gb' },
  ]);
  t.deepEqual(withMigNames(gpus, new Map()), gpus, 'without the list they have no names');
});

test('what a driver asks to be done is read in its own words', async (t) => {
  const recoveries = async (fixture: string) => (await gpusIn(fixture)).map(({ recovery }) => recovery);
  t.deepEqual(await recoveries('recovery-actions.xml'), ['none', 'reset', 'drain', 'reboot']);
  t.deepEqual(await recoveries('requires-reset.xml'), ['reset']);
  t.deepEqual(await recoveries('ecc-errors.xml'), [null, null, null, null], 'driver 470 does not tell');
  const olderDriver = (await nvidiaText('mig-on.xml')).replace('<reset_required>No<', '<reset_required>Yes<');
  t.is(parseSmiDocument(olderDriver).gpus[0]?.recovery, 'reset');
  t.like((await gpusIn('requires-reset.xml'))[0], { outcry: 'requires reset', utilizationPercent: null });
});

test('the name of a process can neither spoil a document nor speak for the driver', async (t) => {
  const one = await nvidiaText('one-h200.xml');
  const expected = await gpusIn('one-h200.xml');
  for (const name of ['a & b <run>', 'GPU is lost', '[GPU requires reset]', '</gpu></nvidia_smi_log>', '&#0;']) {
    const named = one.replace('<process_name>python<', () => `<process_name>${name}<`);
    t.not(named, one);
    t.deepEqual(parseSmiDocument(named).gpus, expected, name);
  }
});

test('half a document is no reading, wherever it was cut', async (t) => {
  await t.throwsAsync(() => gpusIn('half-a-document.xml'), {
    code: 'SMI_DOCUMENT_UNREADABLE',
    message: /half a document/,
  });
  const whole = await nvidiaText('one-h200.xml');
  for (let at = 0; at < whole.length - '</nvidia_smi_log>\n'.length; at += 97) {
    t.throws(() => parseSmiDocument(whole.slice(0, at)), { code: 'SMI_DOCUMENT_UNREADABLE' }, `cut at ${at}`);
  }
});

test('a driver without devices is a host without GPUs, not a failure', async (t) => {
  t.deepEqual(inventoryIn(await answer('no-devices.exit6.txt')), { kind: 'read', gpus: [], lost: [] });
  t.deepEqual(loadIn(await answer('no-devices.exit6.txt')), { kind: 'read', figures: new Map() });
});

test('a driver that fails is a failure in its own words', async (t) => {
  for (const [fixture, words] of [
    ['driver-mismatch.exit18.txt', /^nvidia-smi ended with 18: .*version mismatch/],
    ['no-driver.exit9.txt', /^nvidia-smi ended with 9: .*couldn't communicate/],
    ['half-a-document.xml', /^nvidia-smi -q -x printed half a document/],
  ] as const) {
    const read = inventoryIn(await answer(fixture));
    t.regex(read.kind === 'failed' ? read.message : '', words);
  }
  t.like(loadIn(await answer('no-driver.exit9.txt')), { kind: 'failed' });
});

test('of a GPU that has fallen off the bus its address is told, and the others are read and keep their numbers', async (t) => {
  const told = inventoryIn(await answer('fallen-off.others-told.exit15.txt'));
  t.deepEqual(
    told.kind === 'read' ? [told.lost, told.gpus.map(({ index, pciAddress }) => [index, pciAddress])] : told,
    [
      ['0000:3b:00'],
      [
        [0, '00000000:18:00.0'],
        [2, '00000000:5D:00.0'],
      ],
    ],
  );
  const nothing = inventoryIn(await answer('fallen-off.nothing-told.exit15.txt'));
  t.like(nothing, { kind: 'failed', lost: ['0000:3b:00'] });
  const nameless = inventoryIn(await answer('uuid-unreadable.xml'));
  t.like(nameless, { kind: 'read', lost: ['0000:3b:00'] });
  t.deepEqual(nameless.kind === 'read' ? nameless.gpus.map(({ index }) => index) : [], [0, 2]);
});

test('the load is read by UUID; half a line and complaints tell nothing', async (t) => {
  const figures = parseLoadQuery(await nvidiaText('eight-mixed.load.csv'));
  t.is(figures.size, 8);
  t.deepEqual(figures.get('GPU-11111111-aaaa-4aaa-8aaa-000000000002'), {
    utilizationPercent: 100,
    memoryUsedBytes: 80_912 * MIB,
    temperatureCelsius: 71,
    powerWatts: 398.9,
  });
  t.deepEqual(
    [...parseLoadQuery(await nvidiaText('half-a-line.load.csv')).keys()],
    ['GPU-11111111-aaaa-4aaa-8aaa-000000000000'],
  );
  t.is(parseLoadQuery(await nvidiaText('lost.load.csv')).size, 2);
});
