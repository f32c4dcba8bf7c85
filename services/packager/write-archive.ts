/**
 * The archive of a complete run: masks in asset order, the class mapping, the manifests. Where it would pass its limit, the masks go into
 * volumes, and the archive lists those. The same outcomes give the same bytes, in whatever order they arrived; nothing in it tells times,
 * attempts, hosts or run ids (docs/delivery.md rule 19, docs/archive.md).
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createArchive } from "./archive.js";
import { openArchiveIndex } from "./archive-index.js";
import { createVolumeContent, entryBytes } from "./archive-volume.js";
import { fileBytes, publishFile } from "./durable-files.js";
import { type CompleteRun, runEntries } from "./run-entries.js";
import { forgetVolumes, readVolumes, storeVolumes, type VolumeRecord, volumeFile, volumeList } from "./volume-records.js";
import { giveUp, OtherVolumes, openVolumeWriter, recordOf, type VolumeWriter } from "./volume-writer.js";

export interface ArchiveInput extends CompleteRun {
  /** The run's folder: archive, volumes and temporary files go there. */
  readonly folder: string;
  /** Of the archive, and of each volume. */
  readonly maxBytes: number;
}

/** One volume that has to be uploaded before it goes on. */
export interface ArchiveVolume {
  readonly kind: "volume";
  /** From 1. */
  readonly number: number;
  readonly file: string;
  readonly bytes: number;
  /** Bytes of the volumes up to this one. */
  readonly bytesSoFar: number;
}

export interface FinishedArchive {
  readonly kind: "archive";
  readonly file: string;
  /** Of the file itself. */
  readonly bytes: number;
  /** With all volumes. */
  readonly totalBytes: number;
  /** How many volumes hold the masks; 0: the archive does. */
  readonly volumes: number;
}

const ARCHIVE = "archive.zip";

/**
 * Writes the archive, or finds the one that was written before; the last that it gives. It appears under its name only when it is whole and
 * on the disk. Before it come the volumes, if any, one after the other; each is answered (`next`) with the link that users get it by, and
 * deleted then, so that the disk holds one at a time. What an earlier try has written or uploaded is not written or uploaded again.
 * @throws DamagedRecord when the log has rotted; the disk's own errors; the signal's reason.
 */
export async function* writeArchive(input: ArchiveInput): AsyncGenerator<ArchiveVolume | FinishedArchive, void, string> {
  const { folder } = input;
  const file = join(folder, ARCHIVE);
  if ((await fileBytes(file)) === undefined) {
    const volumes = await readVolumes(folder);
    if (volumes.length > 0 || !(await writeWhole(input, file))) {
      try {
        yield* writeSplit(input, file);
      } catch (error) {
        if (!(error instanceof OtherVolumes)) throw error;
        await forgetVolumes(folder);
        if (!(await writeWhole(input, file))) yield* writeSplit(input, file);
      }
    }
  }
  const volumes = await readVolumes(folder);
  const bytes = (await fileBytes(file)) ?? 0;
  yield { kind: "archive", file, bytes, totalBytes: bytes + sumOf(volumes), volumes: volumes.length };
}

/** @returns false when it would pass its limit: what was written until then is the first volume, and nothing has to be written twice. */
async function writeWhole(input: ArchiveInput, file: string): Promise<boolean> {
  const { folder, context, maxBytes } = input;
  const partial = `${file}.partial`;
  const content = createVolumeContent(1, maxBytes);
  const index = await openArchiveIndex(folder, context, false);
  try {
    const archive = await createArchive(partial);
    try {
      let fits = true;
      for await (const { row, mask } of runEntries(input)) {
        if (mask && !content.hasRoom(entryBytes(mask.name, mask.png.length))) {
          fits = false;
          break;
        }
        if (mask) {
          content.add(mask);
          await archive.append(mask.name, mask.png);
        }
        await index.add(row);
      }
      if (fits && content.hasRoom(await index.bytes())) {
        await index.appendTo(archive);
        await publishFile(partial, file);
        return true;
      }
      await archive.finish();
      await publishFile(partial, volumeFile(folder, 1));
    } catch (error) {
      await giveUp(archive, partial);
      throw error;
    }
  } finally {
    await index.discard();
  }
  await storeVolumes(folder, [await recordOf(volumeFile(folder, 1), content)]);
  return false;
}

/** The volumes, then the archive that lists them. */
async function* writeSplit(input: ArchiveInput, file: string): AsyncGenerator<ArchiveVolume, void, string> {
  const { folder, context, maxBytes } = input;
  const records = await readVolumes(folder);
  const index = await openArchiveIndex(folder, context, true);
  const open = (number: number) => openVolumeWriter(folder, number, maxBytes, records[number - 1]);
  let volume: VolumeWriter | undefined;
  try {
    volume = await open(1);
    for await (const { row, mask } of runEntries(input)) {
      if (mask && !volume.content.hasRoom(entryBytes(mask.name, mask.png.length))) {
        yield* delivered(await volume.finish(), folder, records);
        volume = await open(volume.content.number + 1);
      }
      if (mask) await volume.add(mask);
      await index.add(row, mask && volume.content.number);
    }
    yield* delivered(await volume.finish(), folder, records);
    if (records.length > volume.content.number) throw new OtherVolumes("there were more volumes before");
    volume = undefined;
    const partial = `${file}.partial`;
    const archive = await createArchive(partial);
    try {
      await index.appendTo(archive, volumeList(records, context.archiveName));
      await publishFile(partial, file);
    } catch (error) {
      await giveUp(archive, partial);
      throw error;
    }
  } finally {
    await volume?.abort();
    await index.discard();
  }
}

/** Records the volume, has it uploaded, records its link, deletes it: whatever a kill leaves of this is done again. */
async function* delivered(volume: VolumeRecord, folder: string, records: VolumeRecord[]): AsyncGenerator<ArchiveVolume, void, string> {
  const { number, bytes } = volume;
  const file = volumeFile(folder, number);
  const store = async (record: VolumeRecord) => {
    records[number - 1] = record;
    await storeVolumes(folder, records);
  };
  if (records[number - 1] !== volume) await store(volume);
  if (volume.url === undefined) {
    const url = yield { kind: "volume", number, file, bytes, bytesSoFar: sumOf(records.slice(0, number)) };
    await store({ ...volume, url });
  }
  await rm(file, { force: true });
}

function sumOf(records: readonly VolumeRecord[]): number {
  return records.reduce((sum, { bytes }) => sum + bytes, 0);
}
