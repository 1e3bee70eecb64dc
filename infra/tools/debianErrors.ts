export const DebianFailure = {
  noApt: 'NO_APT',
  noNetwork: 'NO_NETWORK',
  signature: 'SIGNATURE',
  unknownPackage: 'UNKNOWN_PACKAGE',
  diskFull: 'DISK_FULL',
  notWritable: 'NOT_WRITABLE',
  failed: 'FAILED',
} as const;
export type DebianFailure = (typeof DebianFailure)[keyof typeof DebianFailure];

/** A package could not be fetched. The message says what to do; `cause` carries what the program said. */
export class DebianError extends Error {
  readonly code: DebianFailure;
  constructor(code: DebianFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'DebianError';
    this.code = code;
  }
}

export function isDebianError(error: unknown): error is DebianError {
  return error instanceof DebianError;
}

/** What apt and dpkg print (with LC_ALL=C) for each kind of failure. The first match decides, so the order matters. */
const SIGNS: readonly (readonly [RegExp, DebianFailure])[] = [
  [/no space left on device|enough free space/i, DebianFailure.diskFull],
  [/permission denied|read-only file system/i, DebianFailure.notWritable],
  [
    /NO_PUBKEY|EXPKEYSIG|REVKEYSIG|BADSIG|GPG error|is not signed|not available.*public key|signatures? (?:couldn't|were|was)|Hash Sum mismatch|Sub-process .*sqv|Sub-process .*gpgv/i,
    DebianFailure.signature,
  ],
  [
    /unable to locate package|no installation candidate|can't find a source|couldn't find any package/i,
    DebianFailure.unknownPackage,
  ],
  [
    /could not resolve|temporary failure|could not connect|cannot initiate|connection (?:failed|refused|timed out|reset)|network is unreachable|failed to fetch|unable to connect|(?:40\d|50\d) {2}/i,
    DebianFailure.noNetwork,
  ],
];

/** Names the failure in a program's messages. */
export function classifyFailure(output: string): DebianFailure {
  return SIGNS.find(([sign]) => sign.test(output))?.[1] ?? DebianFailure.failed;
}

/** For each failure a sentence for an operator: what failed, and what to do about it. */
const SENTENCES: Readonly<Record<DebianFailure, (names: string, into: string) => string>> = {
  [DebianFailure.noApt]: (names) =>
    `${names} cannot be fetched: this machine has no apt-get and dpkg. Install ${names} by hand and put it on PATH.`,
  [DebianFailure.noNetwork]: (names) =>
    `${names} could not be downloaded: the Debian archive in this machine's apt configuration did not answer. Check the network and the proxy ("apt-get update" must work), then start again.`,
  [DebianFailure.signature]: (names) =>
    `${names} was not taken: the archive's signature could not be verified with this machine's keyring. Update the package debian-archive-keyring and check the machine's clock, then start again.`,
  [DebianFailure.unknownPackage]: (names) =>
    `${names} is not in the Debian archive that this machine uses. Check the name, and that the archive mirrors the whole of Debian.`,
  [DebianFailure.diskFull]: (names, into) =>
    `${names} could not be unpacked: no space left on the file system of ${into}. Free some space there, or set MUSTER_CACHE to a folder on another disk.`,
  [DebianFailure.notWritable]: (names, into) =>
    `${names} could not be unpacked: ${into} cannot be written. Set MUSTER_CACHE to a folder that this user may write.`,
  [DebianFailure.failed]: (names) => `${names} could not be fetched from the Debian archive. What apt said follows.`,
};

export function failureSentence(failure: DebianFailure, packages: readonly string[], into: string): string {
  return SENTENCES[failure](packages.join(', '), into);
}
