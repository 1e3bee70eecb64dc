import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const PCI_DEVICES = '/sys/bus/pci/devices';
const NVIDIA = '0x10de';
/** VGA and 3D controllers; the same card's sound device is none. */
const DISPLAY_CLASS = /^0x03/;

/** How many of NVIDIA's devices are on the PCI bus, driver or not. */
export async function nvidiaOnPci(folder: string = PCI_DEVICES): Promise<number> {
  const names = await readdir(folder);
  const found = await Promise.all(
    names.map(async (name) => {
      const [vendor, type] = await Promise.all(
        ['vendor', 'class'].map((file) => readFile(join(folder, name, file), 'utf8')),
      );
      return vendor?.trim() === NVIDIA && DISPLAY_CLASS.test(type ?? '');
    }),
  );
  return found.filter(Boolean).length;
}
