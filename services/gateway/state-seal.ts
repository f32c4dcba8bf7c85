/**
 * Sealing of what the gateway stores: AES-256-GCM under STATE_KEY, the run's own key, both, or neither. A database keeps what was
 * overwritten in pages that it may use again: only a key that is destroyed with the run takes what belonged to the user away for sure
 * (docs/delivery.md rule 9).
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes, scryptSync } from "node:crypto";

export interface Seal {
  /**
   * @param name what the bytes are stored under; they can not be opened under another name.
   * @param runKey 32 bytes; undefined: what has to outlive the run's key.
   */
  seal(name: string, plain: Uint8Array, runKey: Uint8Array | undefined): Buffer;
  /** @throws Error when a key is missing or is not the one that the bytes were sealed with, or when they are damaged. */
  open(name: string, stored: Uint8Array, runKey: Uint8Array | undefined): Buffer;
}

/** The first byte of what is stored tells the keys; 0: none, it is plain. */
const STATE_KEY = 1;
const RUN_KEY = 2;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Fixed, so that the same STATE_KEY opens the store after a restart; STATE_KEY itself has to be long and random. */
const SALT = "maskline gateway state";

/** @param stateKey undefined: what has to outlive the runs' keys is not encrypted (the files are still readable by their owner only). */
export function createSeal(stateKey: string | undefined): Seal {
  const state = stateKey === undefined ? undefined : scryptSync(stateKey, SALT, 32);
  return {
    seal(name, plain, runKey) {
      const form = (state ? STATE_KEY : 0) | (runKey ? RUN_KEY : 0);
      const key = combined(state, runKey);
      if (!key) return Buffer.concat([Buffer.of(form), plain]);
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(name));
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([Buffer.of(form), nonce, cipher.getAuthTag(), body]);
    },
    open(name, stored, runKey) {
      const bytes = Buffer.from(stored);
      const form = bytes[0];
      if (form === undefined || form > (STATE_KEY | RUN_KEY)) throw new Error(`what is stored as ${name} is damaged`);
      if (form & STATE_KEY && !state)
        throw new Error(`what is stored as ${name} is encrypted: set STATE_KEY to the key that it was stored with`);
      if (form & RUN_KEY && !runKey) throw new Error(`what is stored as ${name} is encrypted, and the run's key file is gone`);
      const key = combined(form & STATE_KEY ? state : undefined, form & RUN_KEY ? runKey : undefined);
      return key ? decrypted(name, bytes, key) : bytes.subarray(1);
    },
  };
}

function combined(state: Uint8Array | undefined, runKey: Uint8Array | undefined): Uint8Array | undefined {
  return state && runKey ? createHmac("sha256", state).update(runKey).digest() : (state ?? runKey);
}

function decrypted(name: string, bytes: Buffer, key: Uint8Array): Buffer {
  if (bytes.length < 1 + NONCE_BYTES + TAG_BYTES) throw new Error(`what is stored as ${name} is damaged`);
  const nonce = bytes.subarray(1, 1 + NONCE_BYTES);
  const tag = bytes.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(name)).setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(bytes.subarray(1 + NONCE_BYTES + TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    const hint = "STATE_KEY or the run's key file is not the one that it was stored with";
    throw new Error(`what is stored as ${name} can not be decrypted: ${hint}`, { cause });
  }
}
