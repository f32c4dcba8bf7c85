/**
 * What goes into one volume of an archive: masks in the order of the export, as many as its limit takes. It depends on the masks and the
 * limit alone, so that the same export is always split in the same way (docs/archive.md). Pure.
 */
import { createHash } from "node:crypto";
import type { ArchivedMask } from "./archive-entries.js";

/** Headers of an entry in both places, with what zip64 adds; at most. */
const ENTRY_BYTES = 128;
/** The end of a zip, with what zip64 adds; at most. */
const END_BYTES = 128;

/** What an entry takes in a zip, at most. Names are ASCII. */
export function entryBytes(name: string, bytes: number): number {
  return ENTRY_BYTES + 2 * name.length + bytes;
}

export interface VolumeContent {
  readonly number: number;
  readonly masks: number;
  /** Of the zip, at most. */
  readonly bytes: number;
  /** Whether so much more stays within the limit; the first mask always does. */
  hasRoom(bytes: number): boolean;
  add(mask: ArchivedMask): void;
  /** Tells apart volumes that hold other masks. Nothing can be added afterwards. */
  digest(): string;
}

/** @param number from 1 */
export function createVolumeContent(number: number, maxBytes: number): VolumeContent {
  const hash = createHash("sha256");
  let masks = 0;
  let bytes = END_BYTES;
  return {
    number,
    get masks() {
      return masks;
    },
    get bytes() {
      return bytes;
    },
    hasRoom: (more) => masks === 0 || bytes + more <= maxBytes,
    add({ name, png, sha256 }) {
      masks += 1;
      bytes += entryBytes(name, png.length);
      hash.update(`${name}\n`).update(sha256);
    },
    digest: () => hash.digest("hex"),
  };
}
