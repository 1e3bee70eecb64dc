import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file in test/fixtures/nvidia; `driver-mismatch.exit18.txt` goes with exit code 18. */
export function nvidiaFixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/nvidia/${name}`, import.meta.url));
}

export function nvidiaText(name: string): Promise<string> {
  return readFile(nvidiaFixture(name), 'utf8');
}

/** The exit code in a fixture's name; 0 where there is none. */
export function exitCodeOf(fixture: string): number {
  return Number(/\.exit(\d+)\./.exec(fixture)?.[1] ?? 0);
}

/** What it answers: to `-q -x`, to `-L`, and to the question for the load. A file's text, or null: it never answers. */
interface Answers {
  readonly query: string | null;
  readonly list: string | null;
  readonly load: string | null;
  readonly exitCode: number;
}

/** A GPU that a fake driver lists. Memory is in MiB. */
export interface FakeGpu {
  readonly uuid: string;
  readonly model?: string;
  readonly memoryMib?: number;
  readonly utilizationPercent?: number;
  readonly processes?: readonly { readonly pid: number; readonly mib: number }[];
}

/**
 * Writes a program `nvidia-smi` that answers for these GPUs and returns the folder that goes first on the PATH of an agent.
 * Written again into the same folder, it answers otherwise from then on. It counts its questions in `asked`.
 */
export function fakeNvidiaSmi(folder: string, gpus: readonly FakeGpu[]): Promise<string> {
  const list = gpus.map(({ uuid, model = MODEL }, index) => `GPU ${index}: ${model} (UUID: ${uuid})\n`);
  const load = gpus.map(({ uuid, utilizationPercent = 0 }) => `${uuid}, ${utilizationPercent}, 4, 33, 76.50\n`);
  const answers = { query: documentOf(gpus), list: list.join(''), load: load.join(''), exitCode: 0 };
  return writeProgram(folder, answers);
}

/** A program `nvidia-smi` that answers whatever it is asked with one fixture. Null: it never answers. */
export async function stubNvidiaSmi(folder: string, fixture: string | null): Promise<string> {
  const text = fixture === null ? null : await nvidiaText(fixture);
  return writeProgram(folder, { query: text, list: text, load: text, exitCode: exitCodeOf(fixture ?? '') });
}

const MODEL = 'NVIDIA Test GPU';

async function writeProgram(folder: string, { exitCode, ...answers }: Answers): Promise<string> {
  await mkdir(folder, { recursive: true });
  const saying = async (name: keyof typeof answers): Promise<string> => {
    const text = answers[name];
    if (text === null) return 'exec sleep 1000000';
    await writeFile(join(folder, name), text);
    return `cat '${join(folder, name)}'`;
  };
  const program = `#!/bin/sh
echo "$*" >> '${join(folder, 'asked')}'
case "$*" in
  '-q -x') ${await saying('query')} ;;
  '-L') ${await saying('list')} ;;
  *) ${await saying('load')} ;;
esac
exit ${exitCode}
`;
  await writeFile(join(folder, 'nvidia-smi'), program, { mode: 0o755 });
  return folder;
}

function documentOf(gpus: readonly FakeGpu[]): string {
  const devices = gpus.map(
    ({ uuid, model = MODEL, memoryMib = 16_384, utilizationPercent = 0, processes = [] }, index) => `
  <gpu id="${pciOf(index)}">
    <product_name>${model}</product_name>
    <mig_mode><current_mig>N/A</current_mig><pending_mig>N/A</pending_mig></mig_mode>
    <mig_devices>None</mig_devices>
    <uuid>${uuid}</uuid>
    <minor_number>${index}</minor_number>
    <gpu_recovery_action>None</gpu_recovery_action>
    <pci><pci_bus_id>${pciOf(index)}</pci_bus_id></pci>
    <fb_memory_usage><total>${memoryMib} MiB</total><used>4 MiB</used></fb_memory_usage>
    <utilization><gpu_util>${utilizationPercent} %</gpu_util></utilization>
    <temperature><gpu_temp>33 C</gpu_temp></temperature>
    <gpu_power_readings><power_draw>76.50 W</power_draw></gpu_power_readings>
    <processes>${processes.map(({ pid, mib }) => processOf(pid, mib)).join('')}</processes>
  </gpu>`,
  );
  return `<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">
<nvidia_smi_log>
  <driver_version>580.95.05</driver_version>
  <attached_gpus>${gpus.length}</attached_gpus>${devices.join('')}
</nvidia_smi_log>
`;
}

function pciOf(index: number): string {
  return `00000000:${(index + 1).toString(16).toUpperCase().padStart(2, '0')}:00.0`;
}

function processOf(pid: number, mib: number): string {
  return `<process_info><gpu_instance_id>N/A</gpu_instance_id><compute_instance_id>N/A</compute_instance_id><pid>${pid}</pid><type>C</type><process_name>python</process_name><used_memory>${mib} MiB</used_memory></process_info>`;
}
