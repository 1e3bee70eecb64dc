import { describeGpuNeed, GPU_COUNT_LIMIT, gpuNeedFrom } from '../../domain/gpuNeed.ts';
import { idFrom } from '../../domain/ids.ts';
import { SELECTOR_PATTERN, SELECTORS_LIMIT } from '../../domain/labels.ts';
import { formatBytes, formatCores, parseCores, parseMemory } from '../../domain/units.ts';
import type { ImageDefinition } from '../../domain/images/image.ts';
import type { ImageBody } from './gateway.ts';

/** What stands in the fields of the image form: text as typed. */
export interface ImageFields {
  readonly name: string;
  readonly reference: string;
  readonly cores: string;
  readonly memory: string;
  readonly cpuMode: 'shares' | 'quota';
  readonly requireGpu: boolean;
  readonly gpuCount: string;
  readonly gpuModel: string;
  readonly gpuMemory: string;
  readonly includeLabels: string;
  readonly excludeLabels: string;
  readonly ports: string;
  readonly shm: string;
  readonly environment: string;
  readonly command: string;
}

export type FieldErrors = Partial<Readonly<Record<keyof ImageFields, string>>>;

export const EMPTY_IMAGE: ImageFields = {
  name: '',
  reference: '',
  cores: '1',
  memory: '1GiB',
  cpuMode: 'shares',
  requireGpu: false,
  gpuCount: '0',
  gpuModel: '',
  gpuMemory: '',
  includeLabels: '',
  excludeLabels: '',
  ports: '',
  shm: '',
  environment: '',
  command: '',
};

/** Lower case, so that `Ubuntu desktop` and `ubuntu desktop` do not become two images. */
export function imageIdFrom(name: string): string {
  return idFrom(name.trim().toLowerCase()).replace(/^-+|-+$/g, '');
}

export function fieldsFrom(image: ImageDefinition): ImageFields {
  return {
    name: image.name,
    reference: image.reference,
    cores: formatCores(image.millicores),
    memory: exactBytes(image.memoryBytes),
    cpuMode: image.cpuMode,
    requireGpu: image.gpu.kind !== 'none',
    gpuCount: image.gpu.kind === 'count' ? String(image.gpu.count) : '0',
    gpuModel: image.gpuModel ?? '',
    gpuMemory: image.gpuMemoryBytes === null ? '' : exactBytes(image.gpuMemoryBytes),
    includeLabels: image.includeLabels.join('\n'),
    excludeLabels: image.excludeLabels.join('\n'),
    ports: image.ports.map((port) => `${port.containerPort}/${port.protocol}`).join(', '),
    shm: image.shmBytes === null ? '' : exactBytes(image.shmBytes),
    environment: Object.entries(image.environment)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n'),
    command: (image.command ?? []).join('\n'),
  };
}

/** The need in one sentence, said while the two fields change, because a bare 0 can be read two ways. */
export function gpuSentence(requireGpu: boolean, countText: string): string {
  const count = /^\d+$/.test(countText.trim()) ? Number(countText) : 0;
  const need = gpuNeedFrom(requireGpu, count);
  switch (need.kind) {
    case 'none':
      return 'No GPU: the session sees no device.';
    case 'all':
      return '0 = all: every schedulable GPU of one agent, exclusively. It fits only where none of them is held.';
    case 'count':
      return `${describeGpuNeed(need)} of one agent${requireGpu ? '.' : '. Require GPU is off with a count above 0: treated as required.'}`;
  }
}

/** Checks what can be checked here; the gateway checks everything again. */
export function imageErrors(fields: ImageFields): FieldErrors {
  const errors: { -readonly [Field in keyof FieldErrors]: FieldErrors[Field] } = {};
  if (fields.name.trim() === '') errors.name = 'Give the image a name.';
  if (fields.reference.trim() === '')
    errors.reference = 'Say which container image to start, for example docker.io/library/debian:12.';
  const cores = parseCores(fields.cores);
  if (!cores.ok) errors.cores = cores.problem;
  else if (cores.value === 0) errors.cores = 'A session needs more than 0 cores.';
  const memory = parseMemory(fields.memory);
  if (!memory.ok) errors.memory = memory.problem;
  else if (memory.value === 0) errors.memory = 'A session needs more than 0 bytes.';
  if (!/^\s*\d{1,4}\s*$/.test(fields.gpuCount) || Number(fields.gpuCount) > GPU_COUNT_LIMIT) {
    errors.gpuCount = `A whole number from 0 to ${GPU_COUNT_LIMIT}; 0 means all when a GPU is required.`;
  }
  for (const field of ['gpuMemory', 'shm'] as const) {
    const parsed = fields[field].trim() === '' ? null : parseMemory(fields[field]);
    if (parsed !== null && !parsed.ok) errors[field] = parsed.problem;
  }
  for (const field of ['includeLabels', 'excludeLabels'] as const) {
    const problem = selectorsProblem(selectorsIn(fields[field]));
    if (problem !== null) errors[field] = problem;
  }
  const both = selectorsIn(fields.excludeLabels).find((each) => selectorsIn(fields.includeLabels).includes(each));
  if (both !== undefined) errors.excludeLabels ??= `${both} is asked for as well: no agent could ever take it.`;
  const badPort = listOf(fields.ports, /[\s,]+/).find((text) => portFrom(text) === null);
  if (badPort !== undefined) errors.ports = `"${badPort}" is not a port; write for example 8080 or 6901/tcp.`;
  const badLine = listOf(fields.environment, /\n/).find((line) => !/^[A-Za-z_][A-Za-z0-9_]*=/.test(line));
  if (badLine !== undefined) errors.environment = `"${badLine}" is not NAME=value.`;
  return errors;
}

/** What is sent. Call it only for fields without errors. */
export function imageBody(fields: ImageFields): ImageBody {
  const command = listOf(fields.command, /\n/);
  return {
    name: fields.name.trim(),
    reference: fields.reference.trim(),
    cores: fields.cores.trim(),
    memory: fields.memory.trim(),
    cpuMode: fields.cpuMode,
    requireGpu: fields.requireGpu,
    gpuCount: Number(fields.gpuCount),
    ...optional('gpuModel', fields.gpuModel),
    ...optional('gpuMemory', fields.gpuMemory),
    ...optional('shm', fields.shm),
    includeLabels: selectorsIn(fields.includeLabels),
    excludeLabels: selectorsIn(fields.excludeLabels),
    ports: listOf(fields.ports, /[\s,]+/).flatMap((text) => portFrom(text) ?? []),
    environment: Object.fromEntries(listOf(fields.environment, /\n/).map(assignment)),
    ...(command.length === 0 ? {} : { command }),
  };
}

/** Each once, however often it was written. */
function selectorsIn(text: string): readonly string[] {
  return [...new Set(listOf(text, /[\s,]+/))];
}

function selectorsProblem(selectors: readonly string[]): string | null {
  const wrong = selectors.find((selector) => !SELECTOR_PATTERN.test(selector));
  if (wrong !== undefined)
    return `"${wrong}" is not a label; write for example rack or gpu=l40, keys in small letters.`;
  return selectors.length > SELECTORS_LIMIT ? `At most ${SELECTORS_LIMIT} labels.` : null;
}

function optional<Name extends string>(name: Name, text: string): { readonly [Key in Name]?: string } | object {
  return text.trim() === '' ? {} : { [name]: text.trim() };
}

function assignment(line: string): readonly [string, string] {
  const equals = line.indexOf('=');
  return [line.slice(0, equals), line.slice(equals + 1)];
}

function portFrom(text: string): ImageBody['ports'][number] | null {
  const match = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(text);
  const containerPort = Number(match?.[1] ?? 0);
  if (match === null || containerPort < 1 || containerPort > 65_535) return null;
  return { containerPort, protocol: match[2] === 'udp' ? 'udp' : 'tcp' };
}

function listOf(text: string, separator: RegExp): readonly string[] {
  return text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** `12GiB` when it is exactly that, else the bytes: editing must not round what was defined. */
function exactBytes(bytes: number): string {
  const text = formatBytes(bytes).replace(' ', '');
  const parsed = parseMemory(text);
  return parsed.ok && parsed.value === bytes ? text : String(bytes);
}
