/** Writes one volume of an archive; one that an earlier try has written is only compared. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { type ArchiveWriter, createArchive } from "./archive.js";
import type { ArchivedMask } from "./archive-entries.js";
import { createVolumeContent, type VolumeContent } from "./archive-volume.js";
import { fileBytes, publishFile } from "./durable-files.js";
import { type VolumeRecord, volumeFile } from "./volume-records.js";

/** What is recorded of a volume is not what would be written now: the limit has changed, or what was lost came back otherwise. */
export class OtherVolumes extends Error {
  override readonly name = "OtherVolumes";
}

export interface VolumeWriter {
  readonly content: Pick<VolumeContent, "number" | "hasRoom">;
  add(mask: ArchivedMask): Promise<void>;
  /**
   * The volume is whole and on the disk, or was, and is uploaded.
   * @throws OtherVolumes when what was written before holds something else
   */
  finish(): Promise<VolumeRecord>;
  /** Gives up; what was written now is removed. */
  abort(): Promise<void>;
}

/** @param before what is recorded of the volume with that number */
export async function openVolumeWriter(
  folder: string,
  number: number,
  maxBytes: number,
  before: VolumeRecord | undefined,
): Promise<VolumeWriter> {
  const content = createVolumeContent(number, maxBytes);
  const file = volumeFile(folder, number);
  const isThere = before && (before.url !== undefined || (await fileBytes(file)) === before.bytes);
  if (before && isThere) {
    return {
      content,
      add: async (mask) => content.add(mask),
      async finish() {
        if (content.digest() !== before.digest) throw new OtherVolumes(`volume ${number} was written with other masks`);
        return before;
      },
      abort: async () => undefined,
    };
  }
  const partial = `${file}.partial`;
  const archive = await createArchive(partial);
  let isFinished = false;
  return {
    content,
    async add(mask) {
      content.add(mask);
      await archive.append(mask.name, mask.png);
    },
    async finish() {
      await archive.finish();
      isFinished = true;
      await publishFile(partial, file);
      return recordOf(file, content);
    },
    abort: async () => (isFinished ? undefined : giveUp(archive, partial)),
  };
}

export async function giveUp(archive: ArchiveWriter, partial: string): Promise<void> {
  await archive.abort();
  await rm(partial, { force: true });
}

/** The record of a volume that is on the disk. */
export async function recordOf(file: string, content: VolumeContent): Promise<VolumeRecord> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { number: content.number, masks: content.masks, bytes, sha256: hash.digest("hex"), digest: content.digest() };
}
