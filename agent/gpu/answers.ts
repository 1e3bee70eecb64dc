import type { GpuReading } from './gpuReading.ts';
import { parseLoadQuery, type LoadFigures } from './loadQuery.ts';
import type { SmiAnswer } from './nvidiaSmi.ts';
import { pciKey } from './pciAddress.ts';
import { parseSmiDocument, SmiDocumentUnreadable, type SmiDocument } from './smiDocument.ts';
import type { MigNames } from './smiList.ts';

/** What an answer of nvidia-smi means. `lost`: keys of the PCI addresses at which it finds a device and cannot read it. */
export type InventoryAnswer =
  | { readonly kind: 'none' }
  | { readonly kind: 'read'; readonly gpus: readonly GpuReading[]; readonly lost: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string; readonly lost: readonly string[] };

export type LoadAnswer =
  | { readonly kind: 'none' }
  | { readonly kind: 'read'; readonly figures: ReadonlyMap<string, LoadFigures> }
  | { readonly kind: 'failed'; readonly message: string };

const NO_DEVICES = /no devices were found/i;
const LOST =
  /unable to determine the device handle for gpu *\d*:? *([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])/gi;

export function inventoryIn(answer: SmiAnswer): InventoryAnswer {
  if (answer.kind === 'none') return answer;
  if (answer.kind === 'failed') return { ...answer, lost: [] };
  const said = `${answer.stdout}\n${answer.stderr}`;
  const named = [...said.matchAll(LOST)].map((match) => match[1] ?? '');
  const document = documentIn(answer.stdout);
  if (document instanceof SmiDocumentUnreadable) {
    const lost = keysOf(named);
    if (answer.code === 0 && !NO_DEVICES.test(said)) return { kind: 'failed', message: document.message, lost };
    return NO_DEVICES.test(said)
      ? { kind: 'read', gpus: [], lost }
      : { kind: 'failed', message: endedWith(answer.code, said), lost };
  }
  const lost = keysOf([...named, ...document.unreadable]);
  return { kind: 'read', gpus: numbered(document.gpus, lost), lost };
}

export function loadIn(answer: SmiAnswer): LoadAnswer {
  if (answer.kind !== 'said') return answer;
  const figures = parseLoadQuery(answer.stdout);
  const said = `${answer.stdout}\n${answer.stderr}`;
  // With a device lost it ends with an error after it has told of the others.
  if (figures.size > 0 || answer.code === 0 || NO_DEVICES.test(said)) return { kind: 'read', figures };
  return { kind: 'failed', message: endedWith(answer.code, said) };
}

export function withMigNames(gpus: readonly GpuReading[], names: MigNames): readonly GpuReading[] {
  return gpus.map((gpu) => {
    const ofGpu = names.get(gpu.uuid);
    if (ofGpu === undefined) return gpu;
    const migInstances = gpu.migInstances.map((instance) => Object.assign({}, instance, ofGpu.get(instance.index)));
    return Object.assign({}, gpu, { migInstances });
  });
}

function documentIn(output: string): SmiDocument | SmiDocumentUnreadable {
  try {
    return parseSmiDocument(output);
  } catch (error) {
    if (error instanceof SmiDocumentUnreadable) return error;
    throw error;
  }
}

function keysOf(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses.flatMap((address) => pciKey(address) ?? []))];
}

/** A device that cannot be read keeps its number, so that those behind it have the one that nvidia-smi gives them. */
function numbered(gpus: readonly GpuReading[], lost: readonly string[]): readonly GpuReading[] {
  const listed = gpus.map((gpu) => pciKey(gpu.pciAddress) ?? '');
  const missing = lost.filter((key) => !listed.includes(key));
  return gpus.map((gpu, position) => {
    const before = missing.filter((key) => key < (listed[position] ?? '')).length;
    return before === 0 ? gpu : Object.assign({}, gpu, { index: gpu.index + before });
  });
}

function endedWith(code: number | null, said: string): string {
  const words = said.trim().split('\n').slice(0, 4).join(' ').slice(0, 400);
  return `nvidia-smi ended with ${code ?? 'a signal'}: ${words}`;
}
