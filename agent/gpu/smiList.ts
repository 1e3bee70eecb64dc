/** What `nvidia-smi -L` alone tells of MIG: by the UUID of the device, then by the number of the instance on it. */
export type MigNames = ReadonlyMap<string, ReadonlyMap<number, { readonly uuid: string; readonly profile: string }>>;

const DEVICE = /^GPU \d+: .*\(UUID: (GPU-[0-9A-Za-z-]+)\)/;
const INSTANCE = /^\s+MIG (\S+)\s+Device\s+(\d+): \(UUID: (MIG-[0-9A-Za-z/-]+)\)/;

export function parseSmiList(output: string): MigNames {
  const names = new Map<string, Map<number, { uuid: string; profile: string }>>();
  let instances = new Map<number, { uuid: string; profile: string }>();
  for (const line of output.split('\n')) {
    const device = DEVICE.exec(line)?.[1];
    if (device !== undefined) {
      instances = new Map();
      names.set(device, instances);
    }
    const [, profile, number, uuid] = INSTANCE.exec(line) ?? [];
    if (profile === undefined || uuid === undefined) continue;
    instances.set(Number(number), { uuid: uuid.slice(0, 96), profile: profile.slice(0, 64) });
  }
  return names;
}
