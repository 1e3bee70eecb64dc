/**
 * One spelling for all: nvidia-smi writes `00000000:3B:00.0`, the kernel `0000:3b:00`, sysfs `0000:3b:00.0`. Null when it is
 * none. The function number is left out, because the kernel log does, and a GPU is function 0.
 */
export function pciKey(text: string): string | null {
  const match = /^(?:PCI:)?([0-9a-f]{4,8}):([0-9a-f]{2}):([0-9a-f]{2})(?:\.[0-9a-f])?$/i.exec(text.trim());
  if (match === null) return null;
  const [, domain, bus, device] = match;
  return `${parseInt(domain ?? '', 16)
    .toString(16)
    .padStart(4, '0')}:${bus}:${device}`.toLowerCase();
}
