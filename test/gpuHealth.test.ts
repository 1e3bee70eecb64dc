import { join } from 'node:path';
import test from 'ava';
import { UNTOLD, type GpuCondition } from '../agent/gpu/gpuReading.ts';
import { gpuHealth } from '../agent/gpu/health.ts';
import { kernelLog } from '../agent/gpu/kernelLog.ts';
import { parseKernelLog } from '../agent/gpu/kernelMessages.ts';
import { pciKey } from '../agent/gpu/pciAddress.ts';
import { foldXids, NO_XIDS, xidIn, type XidBook } from '../agent/gpu/xid.ts';
import { shortText } from '../domain/schemas.ts';
import { temporaryFolder } from './support/folder.ts';
import { nvidiaFixture, nvidiaText } from './support/nvidiaSmi.ts';

const BOOTED = Date.UTC(2026, 10, 1);

/** Health by what is told and which Xids were seen, and a part of the reason. */
const TABLE: readonly (readonly [
  told: Partial<GpuCondition>,
  xids: readonly number[],
  health: 'ok' | 'warning' | 'failed',
  reason: RegExp | null,
])[] = [
  [{}, [], 'ok', null],
  [{ volatileUncorrected: 0, retirementPending: false, remapFailed: false, recovery: 'none' }, [], 'ok', null],
  [{ aggregateUncorrected: 41, retiredPages: 3, remappedRows: 12 }, [], 'ok', null],
  [{}, [79], 'failed', /fallen off the bus/],
  [{ recovery: 'none' }, [79], 'failed', /fallen off the bus/],
  [{ outcry: 'lost' }, [], 'failed', /fallen off the bus/],
  [{ outcry: 'requires reset' }, [], 'failed', /asks for a reset/],
  [{ recovery: 'reset' }, [], 'failed', /asks for a reset/],
  [{ recovery: 'reboot' }, [], 'failed', /restart of the host/],
  [{ volatileUncorrected: 1 }, [], 'failed', /could not be corrected/],
  [{ remapFailed: true }, [], 'failed', /have it replaced/],
  ...[46, 48, 62, 64, 74, 95, 110, 119, 120, 136, 140, 143, 155, 158].map(
    (code) => [{}, [code], 'failed', new RegExp(`^Xid ${code}, .*nvidia-smi -r`)] as const,
  ),
  [{ recovery: 'none' }, [48], 'warning', /^Xid 48, .*asks for nothing any more$/],
  [{ recovery: 'reset' }, [48], 'failed', /asks for a reset/],
  [{ retirementPending: true }, [], 'warning', /waits for a reset/],
  [{ recovery: 'drain' }, [], 'warning', /end its work/],
  [{ slowedByHeat: true }, [], 'warning', /cooling/],
  ...[54, 63, 92, 94, 109, 121, 144, 150, 156, 171].map(
    (code) => [{}, [code], 'warning', new RegExp(`^Xid ${code}, `)] as const,
  ),
  // What a session's own program can cause.
  [{}, [13, 31, 32, 43, 45, 68, 69], 'ok', null],
  [{ slowedByHeat: true }, [63, 94, 48, 79], 'failed', /fallen off the bus/],
  [{ slowedByHeat: true }, [63, 94], 'warning', /^Xid 94/],
];

test('a GPU is as healthy as the worst that the driver tells and has reported of it', (t) => {
  for (const [told, codes, health, reason] of TABLE) {
    const xids = codes.map((code) => ({ code }));
    const found = gpuHealth({ ...UNTOLD, ...told }, xids);
    const what = JSON.stringify([told, codes]);
    t.is(found.health, health, what);
    if (reason === null) t.is(found.reason, null, what);
    else t.regex(found.reason ?? '', reason, what);
    t.true(shortText.nullable().safeParse(found.reason).success, what);
    t.deepEqual(gpuHealth({ ...UNTOLD, ...told }, xids.toReversed()), found, 'whatever came first');
  }
});

test('a reason does not move with the counters, because each change of it is an event', (t) => {
  const after = (volatileUncorrected: number) => gpuHealth({ ...UNTOLD, volatileUncorrected }, [{ code: 48 }]);
  t.deepEqual(after(1), after(17));
});

test('an address is the same in every spelling', (t) => {
  for (const text of ['00000000:3B:00.0', '0000:3b:00.0', '0000:3b:00', 'PCI:0000:3b:00', '00000000:3b:00']) {
    t.is(pciKey(text), '0000:3b:00', text);
  }
  t.is(pciKey('00010000:3B:00.0'), '10000:3b:00', 'a wide domain stays another one');
  for (const none of ['', 'N/A', '3b:00.0', '0000:3b:00.0 and more']) t.is(pciKey(none), null, none);
});

test('an Xid is told with its device in every form that drivers have used', (t) => {
  const at = (pci: string, code: number) => ({ pci, code });
  t.deepEqual(xidIn('NVRM: Xid (PCI:0000:3b:00): 79, pid=1, GPU has fallen off the bus.'), at('0000:3b:00', 79));
  t.deepEqual(xidIn('NVRM: Xid (0000:01:00): 31, Ch 0000000b'), at('0000:01:00', 31));
  t.deepEqual(xidIn('NVRM: Xid (PCI:0000:5d:00 GPU-I:02): 94, Contained'), at('0000:5d:00', 94));
  t.is(xidIn('NVRM: GPU 0000:3b:00.0: GPU has fallen off the bus.'), null);
  t.is(xidIn('somebody: NVRM: Xid (PCI:0000:3b:00): 79'), null, 'only the driver counts');
});

test('the Xids of each device are kept once by code, the newest last, with their time', async (t) => {
  const messages = parseKernelLog(await nvidiaText('kernel-xids.kmsg'));
  const book = foldXids(NO_XIDS, messages, BOOTED);
  t.deepEqual(plain(book), {
    '0000:18:00': [{ code: 31, at: BOOTED + 97_000 }],
    '0000:3b:00': [
      { code: 63, at: BOOTED + 93_000 },
      { code: 79, at: BOOTED + 96_000 },
    ],
    '0000:5d:00': [{ code: 94, at: BOOTED + 94_000 }],
    '0000:86:00': [{ code: 48, at: BOOTED + 95_000 }],
  });
  t.is(foldXids(book, [], BOOTED), book, 'no news, no change');
});

test('loading the driver again ends what was before', async (t) => {
  const before = foldXids(NO_XIDS, parseKernelLog(await nvidiaText('kernel-xids.kmsg')), BOOTED);
  t.deepEqual(plain(foldXids(before, parseKernelLog(await nvidiaText('kernel-driver-reloaded.kmsg')), BOOTED)), {});
});

test('a flood of Xids stays within bounds', (t) => {
  const messages = Array.from({ length: 40_000 }, (_, index) => ({
    microseconds: index,
    text: `NVRM: Xid (PCI:${(index % 400).toString(16).padStart(4, '0')}:3b:00): ${index % 172}, flood`,
  }));
  const book = foldXids(NO_XIDS, messages, BOOTED);
  t.true(book.size <= 256);
  t.true([...book.values()].every((xids) => xids.length <= 64));
});

test("the kernel's log is read once: what it holds first, then what is new", async (t) => {
  const read = kernelLog(nvidiaFixture('kernel-xids.kmsg'));
  const first = await read();
  t.is(first.kind === 'read' ? first.messages.filter(({ text }) => xidIn(text) !== null).length : 0, 6);
  t.deepEqual(await read(), { kind: 'read', messages: [] });
});

test("a kernel's log that cannot be read is unknown, and is not tried again and again", async (t) => {
  const read = kernelLog(join(await temporaryFolder(t), 'kmsg'));
  const first = await read();
  t.like(first, { kind: 'unreadable' });
  t.is(await read(), first);
});

function plain(book: XidBook) {
  return Object.fromEntries(book);
}
