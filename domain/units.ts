/**
 * Quantities are integers inside: cores in millicores, memory in bytes. People write and read `2`, `0.5`, `500m`,
 * `12GiB`, `12GB`; these functions are the only place where one becomes the other. No zod here: the dashboard uses it.
 */

export type Parsed = { readonly ok: true; readonly value: number } | { readonly ok: false; readonly problem: string };

const MEMORY_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

const MEMORY_TEXT = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i;
const CORES_TEXT = /^\s*(\d+(?:\.\d+)?)\s*(m?)\s*$/;

/** Bytes from `12GiB`, `12GB`, `512 MiB`, `1073741824` or a number of bytes. Fractions of a byte are refused. */
export function parseMemory(input: string | number): Parsed {
  if (typeof input === 'number') return wholeNumber(input, 'bytes');
  const match = MEMORY_TEXT.exec(input);
  const unit = MEMORY_UNITS[(match?.[2] ?? '?').toLowerCase()];
  if (match === null || unit === undefined) {
    return refuse(`"${input}" is not an amount of memory; write for example 12GiB, 12GB or a number of bytes`);
  }
  const bytes = Number(match[1]) * unit;
  // Decimal fractions of a unit are rarely whole bytes in binary floating point; `1.1GiB` is rounded, `0.5` bytes is not.
  return wholeNumber(unit === 1 ? bytes : Math.round(bytes), 'bytes');
}

/** Millicores from `2`, `0.5`, `500m` or a number of cores. Finer than a millicore is refused. */
export function parseCores(input: string | number): Parsed {
  const match = CORES_TEXT.exec(String(input));
  if (match === null) return refuse(`"${input}" is not a number of cores; write for example 2, 0.5 or 500m`);
  const amount = Number(match[1]) * (match[2] === 'm' ? 1 : 1000);
  const rounded = Math.round(amount);
  if (Math.abs(amount - rounded) > 1e-6) return refuse(`${input} cores is finer than a millicore (0.001)`);
  return wholeNumber(rounded, 'millicores');
}

/** `1.5 GiB`, `512 MiB`, `0 B`: binary units, at most one decimal. */
export function formatBytes(bytes: number): string {
  const sign = bytes < 0 ? '-' : '';
  let amount = Math.abs(bytes);
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (amount < 1024) return `${sign}${trim(amount)} ${unit}`;
    amount /= 1024;
  }
  return `${sign}${trim(amount)} TiB`;
}

/** `2`, `0.5`, `12`: cores without trailing zeros. */
export function formatCores(millicores: number): string {
  return String(Number((millicores / 1000).toFixed(3)));
}

/** `1 core`, `0.5 cores`, `12 cores`. */
export function coresText(millicores: number): string {
  return millicores === 1000 ? '1 core' : `${formatCores(millicores)} cores`;
}

/** `1 GPU`, `4 GPUs`. */
export function gpusText(gpus: number): string {
  return gpus === 1 ? '1 GPU' : `${gpus} GPUs`;
}

/** `5 of 12 CPUs allocated`, as the published page words it. */
export function coresAllocatedSentence(allocatedMillicores: number, capacityMillicores: number): string {
  return `${formatCores(allocatedMillicores)} of ${formatCores(capacityMillicores)} CPUs allocated`;
}

/** `x2.0 of 6 cores`: how an override compares with what is physically there. */
export function overrideRatio(value: number, physical: number, physicalText: string): string {
  return `x${(value / physical).toFixed(1)} of ${physicalText}`;
}

function trim(amount: number): string {
  return amount >= 100 ? String(Math.round(amount)) : String(Number(amount.toFixed(1)));
}

function wholeNumber(value: number, unit: string): Parsed {
  if (!Number.isFinite(value) || value < 0) return refuse(`${value} is not a non-negative number of ${unit}`);
  if (!Number.isInteger(value)) return refuse(`${value} is not a whole number of ${unit}`);
  if (value > Number.MAX_SAFE_INTEGER) return refuse(`${value} ${unit} is more than can be counted exactly`);
  return { ok: true, value };
}

function refuse(problem: string): Parsed {
  return { ok: false, problem };
}
