/**
 * Values as nvidia-smi writes them. Drivers say in many words that they have none (`N/A`, `[Not Supported]`, `Unknown Error`,
 * `GPU requires reset`, `Insufficient Permissions`), and new ones come: whatever is no value is unknown, and never 0.
 */
const MEBIBYTE = 1_048_576;
const NUMBER = /^(-?\d+(?:\.\d+)?)(?: *(?:%|[A-Za-z]+))?$/;
const NO_WORD =
  /^\[?(?:|N\/A|Not Supported|Not Available|Unknown Error|Unknown|ERR!|GPU requires reset|GPU is lost|Insufficient Permissions|Function Not Found|Requested functionality has been deprecated)\]?$/i;

/** `45 C`, `27.22 W`, `2 %`, `17`. */
export function numberIn(text: string | undefined): number | null {
  const digits = NUMBER.exec(text?.trim() ?? '')?.[1];
  return digits === undefined ? null : Number(digits);
}

/** A counter. Some drivers answer with all bits set where they have none. */
export function countIn(text: string | undefined): number | null {
  const number = numberIn(text);
  return number !== null && Number.isSafeInteger(number) && number >= 0 && number < 0xffff_ffff ? number : null;
}

export function percentIn(text: string | undefined): number | null {
  const number = numberIn(text);
  return number !== null && number >= 0 && number <= 100 ? number : null;
}

/** Bytes from MiB, the only unit in which nvidia-smi tells memory of a device. */
export function bytesIn(text: string | undefined): number | null {
  const mebibytes = numberIn(text);
  return mebibytes === null || mebibytes < 0 ? null : Math.round(mebibytes * MEBIBYTE);
}

export function wordIn(text: string | undefined, longest: number): string | null {
  const word = text?.trim() ?? '';
  return NO_WORD.test(word) ? null : word.slice(0, longest);
}

export function flagIn(text: string | undefined): boolean | null {
  switch ((text ?? '').trim()) {
    case 'Yes':
    case 'Active':
    case 'Enabled':
      return true;
    case 'No':
    case 'Not Active':
    case 'Disabled':
      return false;
    default:
      return null;
  }
}

/** What makes a device: without a UUID nothing can be claimed of it. */
export function uuidIn(text: string | undefined): string | null {
  const uuid = text?.trim() ?? '';
  return /^GPU-[0-9A-Za-z-]{1,92}$/.test(uuid) ? uuid : null;
}
