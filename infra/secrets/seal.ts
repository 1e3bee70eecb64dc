import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Encrypts values so that nobody without the key reads, alters or moves them. */
export interface Seal {
  /** Differs each time. `name` is bound to it: under another name it does not open. */
  close(name: string, value: string): Uint8Array;
  /** Null when it was not sealed with this key and under this name, or was altered since. */
  open(name: string, sealed: Uint8Array): string | null;
}

/** Format 1: one byte 1, a random nonce of 12 bytes, the value encrypted by AES-256-GCM, the tag of 16 bytes. */
const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

/** `key`: the 32 bytes of the key file, from which the key of this very use is derived. */
export function createSeal(key: Uint8Array): Seal {
  const derived = Buffer.from(hkdfSync('sha256', key, '', 'muster secrets 1', 32));

  return {
    close(name, value) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, derived, nonce).setAAD(boundTo(name));
      const encrypted = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(FORMAT), nonce, encrypted, cipher.getAuthTag()]);
    },
    open(name, sealed) {
      if (sealed[0] !== FORMAT || sealed.length < 1 + NONCE_BYTES + TAG_BYTES) return null;
      const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
      const decipher = createDecipheriv(CIPHER, derived, nonce, { authTagLength: TAG_BYTES })
        .setAAD(boundTo(name))
        .setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
      const encrypted = sealed.subarray(1 + NONCE_BYTES, sealed.length - TAG_BYTES);
      try {
        return Buffer.concat([decipher.update(encrypted), decipher.final()]).toString('utf8');
      } catch (error) {
        if (isNotAuthentic(error)) return null;
        throw error;
      }
    },
  };
}

function boundTo(name: string): Buffer {
  return Buffer.from(`muster secret ${FORMAT} ${name}`);
}

/** OpenSSL has no code for it, only this sentence. */
function isNotAuthentic(error: unknown): boolean {
  return error instanceof Error && error.message.includes('unable to authenticate data');
}
