import { describeGpuNeed } from '../../domain/gpuNeed.ts';
import { formatBytes, formatCores } from '../../domain/units.ts';
import type { ImageView } from '../../projections/views.ts';
import { openClient } from './client.ts';
import { CliError, ExitCode } from './exitCodes.ts';
import { facts, print, printJson, table, withReason, type JsonOption, type ReasonOption } from './output.ts';

export async function listImages({ json }: JsonOption): Promise<void> {
  const client = await openClient();
  const answer = await client.call<{ readonly images: readonly ImageView[] }>('/images');
  if (json === true) return printJson(answer);
  if (answer.images.length === 0) return print('No image is defined yet. `npx muster images define --help` tells how.');
  const head = ['IMAGE', 'NAME', 'REFERENCE', 'CPU', 'RAM', 'GPU', 'REVISION'];
  print(table(head, answer.images.map(row)));
}

export async function showImage(imageId: string, { json }: JsonOption): Promise<void> {
  const client = await openClient();
  const image = await client.call<ImageView>(`/images/${encodeURIComponent(imageId)}`);
  if (json === true) return printJson(image);
  print(
    facts([
      ['image', image.imageId],
      ['name', image.name],
      ['revision', String(image.revision)],
      ['reference', image.reference],
      ['CPU', `${formatCores(image.millicores)} (${image.cpuMode})`],
      ['RAM', formatBytes(image.memoryBytes)],
      ['GPU', describeGpuNeed(image.gpu)],
      ['GPU model', image.gpuModel ?? ''],
      ['GPU memory', image.gpuMemoryBytes === null ? '' : formatBytes(image.gpuMemoryBytes)],
      ['only on agents with', image.includeLabels.join(', ')],
      ['never on agents with', image.excludeLabels.join(', ')],
      ['ports', image.ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`).join(', ')],
      ['shared memory', image.shmBytes === null ? '' : formatBytes(image.shmBytes)],
      ['environment', Object.keys(image.environment).join(', ')],
      ['command', image.command?.join(' ') ?? ''],
    ]),
  );
}

export interface DefineOptions extends JsonOption, ReasonOption {
  readonly name?: string;
  readonly reference: string;
  readonly cores: string;
  readonly memory: string;
  readonly cpuMode?: string;
  readonly gpus?: string;
  readonly gpuModel?: string;
  readonly gpuMemory?: string;
  readonly includeLabel?: readonly string[];
  readonly excludeLabel?: readonly string[];
  readonly port?: readonly string[];
  readonly shm?: string;
  readonly env?: readonly string[];
  readonly command?: readonly string[];
}

export async function defineImage(imageId: string, options: DefineOptions): Promise<void> {
  const body = withReason(options, {
    name: options.name ?? imageId,
    reference: options.reference,
    cores: options.cores,
    memory: options.memory,
    ...gpusOf(options.gpus),
    ports: (options.port ?? []).map(portOf),
    environment: Object.fromEntries((options.env ?? []).map(variableOf)),
    ...given({
      cpuMode: options.cpuMode,
      gpuModel: options.gpuModel,
      gpuMemory: options.gpuMemory,
      shm: options.shm,
      includeLabels: options.includeLabel,
      excludeLabels: options.excludeLabel,
      command: options.command,
    }),
  });
  const client = await openClient();
  const path = `/images/${encodeURIComponent(imageId)}`;
  const image = await client.call<ImageView & { echoes: readonly string[] }>(path, { method: 'PUT', body });
  if (options.json === true) return printJson(image);
  print([`${imageId}, revision ${image.revision}:`, ...image.echoes.map((echo) => `  ${echo}`)].join('\n'));
}

export async function retireImage(imageId: string, options: JsonOption & ReasonOption): Promise<void> {
  const client = await openClient();
  await client.call(`/images/${encodeURIComponent(imageId)}`, { method: 'DELETE', body: withReason(options) });
  if (options.json === true) return printJson({ imageId, retired: true });
  print(`${imageId} is retired; sessions started from it go on`);
}

function row(image: ImageView): readonly string[] {
  return [
    image.imageId,
    image.name,
    image.reference,
    formatCores(image.millicores),
    formatBytes(image.memoryBytes),
    describeGpuNeed(image.gpu),
    String(image.revision),
  ];
}

function given(options: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function gpusOf(text: string | undefined): object {
  if (text === undefined) return {};
  if (text === 'all') return { requireGpu: true, gpuCount: 0 };
  if (!/^\d+$/.test(text)) throw new CliError(ExitCode.usage, `--gpus takes a number or "all", not "${text}"`);
  return { requireGpu: Number(text) > 0, gpuCount: Number(text) };
}

function portOf(text: string): object {
  const [containerPort = '', protocol = 'tcp'] = text.split('/');
  if (/^\d+$/.test(containerPort)) return { containerPort: Number(containerPort), protocol };
  throw new CliError(ExitCode.usage, `--port takes a container's port such as 8080 or 53/udp, not "${text}"`);
}

function variableOf(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new CliError(ExitCode.usage, `--env takes NAME=value, not "${text}"`);
}
