import { XMLParser } from 'fast-xml-parser';
import type { GpuCondition, GpuLoad, GpuProcess, GpuReading, MigInstance } from './gpuReading.ts';
import { pciKey } from './pciAddress.ts';
import { bytesIn, countIn, flagIn, numberIn, percentIn, uuidIn, wordIn } from './smiValue.ts';

/**
 * The output of `nvidia-smi -q -x`, drivers 470 to 580. Elements come and go with driver and device, so each is looked for and
 * none is relied on, but the UUID. A device without a readable one cannot be named; `unreadable` has their PCI addresses.
 */
export type SmiDocument = { readonly gpus: readonly GpuReading[]; readonly unreadable: readonly string[] };

/** nvidia-smi printed something else than one whole document. */
export class SmiDocumentUnreadable extends Error {
  readonly code = 'SMI_DOCUMENT_UNREADABLE';
  constructor(what: string, cause?: unknown) {
    super(`nvidia-smi -q -x printed ${what}`, { cause });
    this.name = 'SmiDocumentUnreadable';
  }
}

const MOST_GPUS = 256;
const MOST_PROCESSES = 256;
const MOST_INSTANCES = 64;

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  isArray: (name) => name === 'gpu' || name === 'mig_device' || name === 'process_info',
});

/** Any words before or behind the document are left out: nvidia-smi complains of lost devices there. */
export function parseSmiDocument(output: string): SmiDocument {
  const log = Node.of(parsed(wholeDocument(output))).in('nvidia_smi_log');
  const driver = wordIn(log.text('driver_version'), 64);
  const nodes = log.list('gpu').slice(0, MOST_GPUS);
  const named = nodes.filter((node) => uuidOf(node) !== '');
  const nameless = nodes.filter((node) => uuidOf(node) === '');
  return {
    gpus: named.map((node, index) => readingOf(node, index, driver)),
    unreadable: nameless.flatMap((node) => addressOf(node)),
  };
}

/**
 * The lists of clocks are nine tenths of the text and nobody reads them; parsing them would hold up everything else. Names of
 * processes are what anybody in a session may choose: `&` or `<` in them must not spoil the document, and they prove nothing.
 */
function wholeDocument(output: string): string {
  const from = output.indexOf('<nvidia_smi_log>');
  const end = '</nvidia_smi_log>';
  const to = output.lastIndexOf(end);
  if (from < 0) throw new SmiDocumentUnreadable(`no document: ${JSON.stringify(output.trim().slice(0, 200))}`);
  if (to < from) throw new SmiDocumentUnreadable('half a document');
  return output
    .slice(from, to + end.length)
    .replaceAll(/<supported_clocks>[^]*?<\/supported_clocks>/g, '')
    .replaceAll(/<process_name>[^]*?<\/process_name>(?=\s*<used_memory>)/g, '');
}

function parsed(xml: string): unknown {
  try {
    return parser.parse(xml);
  } catch (error) {
    throw new SmiDocumentUnreadable('a document that is not XML', error);
  }
}

/** An element that may not be there, and may be a text where others are elements (`<remapped_rows>N/A</remapped_rows>`). */
class Node {
  readonly #value: unknown;

  private constructor(value: unknown) {
    this.#value = value;
  }

  static of(value: unknown): Node {
    return new Node(value);
  }

  get #members(): Readonly<Record<string, unknown>> {
    return typeof this.#value === 'object' && this.#value !== null ? { ...this.#value } : {};
  }

  in(name: string): Node {
    return new Node(this.#members[name]);
  }

  /** The text of a child; undefined when there is none, or it is an element. */
  text(name: string): string | undefined {
    const value = this.#members[name];
    return typeof value === 'string' ? value : undefined;
  }

  list(name: string): readonly Node[] {
    const value = this.#members[name];
    return Array.isArray(value) ? value.map((each) => new Node(each)) : [];
  }

  names(): readonly string[] {
    return Object.keys(this.#members);
  }

  /** Whether any text below says so. */
  says(words: RegExp): boolean {
    if (typeof this.#value === 'string') return words.test(this.#value);
    return Object.values(this.#members).some((value) => new Node(value).says(words));
  }
}

function uuidOf(gpu: Node): string {
  return uuidIn(gpu.text('uuid')) ?? '';
}

/** `index`: its place among those that can be named. */
function readingOf(gpu: Node, index: number, driver: string | null): GpuReading {
  const memory = gpu.in('fb_memory_usage');
  const mig = flagIn(gpu.in('mig_mode').text('current_mig'));
  return {
    index,
    uuid: uuidOf(gpu),
    model: wordIn(gpu.text('product_name'), 128) ?? 'unknown',
    memoryBytes: bytesIn(memory.text('total')),
    driver,
    pciAddress: addressOf(gpu)[0] ?? '',
    migMode: mig === null ? null : mig ? 'on' : 'off',
    migInstances: gpu.in('mig_devices').list('mig_device').slice(0, MOST_INSTANCES).map(instanceOf),
    ...conditionOf(gpu),
    ...loadOf(gpu, memory),
  };
}

/** Of the attribute, which is there even for a device that cannot be read. None or one. */
function addressOf(gpu: Node): readonly string[] {
  const told = gpu.in('pci').text('pci_bus_id') ?? '';
  return [told, gpu.text('@id') ?? ''].filter((each) => pciKey(each) !== null).slice(0, 1);
}

function instanceOf(mig: Node, position: number): MigInstance {
  return {
    index: countIn(mig.text('index')) ?? position,
    gpuInstance: countIn(mig.text('gpu_instance_id')),
    computeInstance: countIn(mig.text('compute_instance_id')),
    memoryBytes: bytesIn(mig.in('fb_memory_usage').text('total')),
    uuid: null,
    profile: null,
  };
}

function conditionOf(gpu: Node): GpuCondition {
  const ecc = gpu.in('ecc_errors');
  const retired = gpu.in('retired_pages');
  const rows = gpu.in('remapped_rows');
  const pending = new Set([
    flagIn(retired.text('pending_retirement')),
    flagIn(retired.text('pending_blacklist')),
    flagIn(rows.text('remapped_row_pending')),
  ]);
  return {
    outcry: gpu.says(/GPU is lost/i) ? 'lost' : gpu.says(/GPU requires reset/i) ? 'requires reset' : null,
    recovery: recoveryOf(gpu),
    volatileUncorrected: uncorrectedOf(ecc.in('volatile')),
    aggregateUncorrected: uncorrectedOf(ecc.in('aggregate')),
    retiredPages: sumOf([
      retired.in('multiple_single_bit_retirement').text('retired_count'),
      retired.in('double_bit_retirement').text('retired_count'),
    ]),
    remappedRows: sumOf([rows.text('remapped_row_corr'), rows.text('remapped_row_unc')]),
    retirementPending: pending.has(true) ? true : pending.has(false) ? false : null,
    remapFailed: flagIn(rows.text('remapped_row_failure')),
    slowedByHeat:
      flagIn(gpu.in('clocks_event_reasons').text('clocks_event_reason_hw_thermal_slowdown')) ??
      flagIn(gpu.in('clocks_throttle_reasons').text('clocks_throttle_reason_hw_thermal_slowdown')),
  };
}

/** Newer drivers say it in one word; those before told at least of a needed reset; the oldest told nothing. */
function recoveryOf(gpu: Node): GpuCondition['recovery'] {
  const status = gpu.in('gpu_reset_status');
  switch ((gpu.text('gpu_recovery_action') ?? '').trim().toLowerCase()) {
    case 'none':
      return 'none';
    case 'drain p2p':
      return 'drain';
    case 'reset':
    case 'gpu reset':
    case 'drain and reset':
      return 'reset';
    case 'reboot':
    case 'node reboot':
      return 'reboot';
    default:
      if (flagIn(status.text('reset_required')) === true) return 'reset';
      return flagIn(status.text('drain_and_reset_recommended')) === true ? 'drain' : null;
  }
}

/** Since Ampere by kind of memory; before, double-bit errors by place and in all. */
function uncorrectedOf(counts: Node): number | null {
  const total = countIn(counts.in('double_bit').text('total'));
  if (total !== null) return total;
  return sumOf(counts.names().flatMap((name) => (/uncorrectable/.test(name) ? [counts.text(name)] : [])));
}

/** Of those that are told. */
function sumOf(texts: readonly (string | undefined)[]): number | null {
  const told = texts.flatMap((text) => countIn(text) ?? []);
  return told.length === 0 ? null : told.reduce((sum, each) => sum + each, 0);
}

function loadOf(gpu: Node, memory: Node): GpuLoad {
  const power = [gpu.in('gpu_power_readings'), gpu.in('power_readings')].flatMap((readings) =>
    ['power_draw', 'average_power_draw', 'instant_power_draw'].map((name) => numberIn(readings.text(name))),
  );
  return {
    utilizationPercent: percentIn(gpu.in('utilization').text('gpu_util')),
    memoryUsedBytes: bytesIn(memory.text('used')),
    temperatureCelsius: numberIn(gpu.in('temperature').text('gpu_temp')),
    powerWatts: power.find((watts) => watts !== null) ?? null,
    processes: gpu.in('processes').list('process_info').slice(0, MOST_PROCESSES).flatMap(processOf),
  };
}

function processOf(process: Node): readonly GpuProcess[] {
  const pid = countIn(process.text('pid'));
  if (pid === null || pid === 0) return [];
  const type = wordIn(process.text('type'), 16) ?? '';
  return [{ pid, type, memoryBytes: bytesIn(process.text('used_memory')) }];
}
