/** Sealing of what the gateway stores: AES-256-GCM under STATE_KEY, or plain when there is none (docs/operations.md). */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto";

export interface Seal {
  /** @param name what the bytes are stored under; they can not be opened under another name. */
  seal(name: string, plain: Uint8Array): Buffer;
  /** @throws Error when the bytes were sealed with another key, or are damaged. Plain bytes are opened with any key. */
  open(name: string, stored: Uint8Array): Buffer;
}

const PLAIN = 0;
const SEALED = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Fixed, so that the same STATE_KEY opens the store after a restart; STATE_KEY itself has to be long and random. */
const SALT = "maskline gateway state";

/** @param stateKey undefined: what is stored is not encrypted (the files are still readable by their owner only). */
export function createSeal(stateKey: string | undefined): Seal {
  const key = stateKey === undefined ? undefined : scryptSync(stateKey, SALT, 32);
  return {
    seal(name, plain) {
      if (!key) return Buffer.concat([Buffer.of(PLAIN), plain]);
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(name));
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([Buffer.of(SEALED), nonce, cipher.getAuthTag(), body]);
    },
    open(name, stored) {
      const bytes = Buffer.from(stored);
      if (bytes[0] === PLAIN) return bytes.subarray(1);
      if (bytes[0] !== SEALED || bytes.length < 1 + NONCE_BYTES + TAG_BYTES) throw new Error(`what is stored as ${name} is damaged`);
      if (!key) throw new Error(`what is stored as ${name} is encrypted: set STATE_KEY to the key that it was stored with`);
      const nonce = bytes.subarray(1, 1 + NONCE_BYTES);
      const tag = bytes.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES);
      const decipher = createDecipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(name)).setAuthTag(tag);
      try {
        return Buffer.concat([decipher.update(bytes.subarray(1 + NONCE_BYTES + TAG_BYTES)), decipher.final()]);
      } catch (cause) {
        throw new Error(`what is stored as ${name} can not be decrypted: STATE_KEY is not the key that it was stored with`, { cause });
      }
    },
  };
}
