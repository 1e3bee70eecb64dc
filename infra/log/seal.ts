import type { Commit } from '../../domain/commit.ts';
import { decodeCommit } from './codec.ts';
import { LogError } from './errors.ts';

/** Whether a commit ends its epoch: what is appended behind it goes into the next one. */
export function holdsSeal(commit: Commit): boolean {
  return commit.events.some(({ type }) => type === 'LogSealed');
}

/** The same of stored bytes. What cannot be read as a commit ends nothing; whoever reads it is told what is wrong. */
export function bytesHoldSeal(bytes: Uint8Array): boolean {
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('"LogSealed"')) return false;
  try {
    return holdsSeal(decodeCommit(bytes).commit);
  } catch (error) {
    if (error instanceof LogError) return false;
    throw error;
  }
}
