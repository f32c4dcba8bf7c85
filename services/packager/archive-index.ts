/** What an archive holds besides masks: the class mapping, the manifests, and, when the masks lie in volumes, their list. */
import { join } from "node:path";
import { ColourMode } from "../../proto/gen/maskline/v1/pipeline.js";
import type { RunContext } from "../../proto/gen/maskline/v1/run.js";
import type { ArchiveWriter } from "./archive.js";
import { entryBytes } from "./archive-volume.js";
import { classMappingJson, classMappingText } from "./class-mapping.js";
import { ARCHIVE_FILES } from "./entry-names.js";
import { type ManifestRow, manifestLine, tableHeader, tableRow } from "./manifest.js";
import { openTextFile } from "./text-file.js";

export interface ArchiveIndex {
  /** @param volume the one that the row's mask lies in; undefined: it has none, or there are no volumes */
  add(row: ManifestRow, volume?: number): Promise<void>;
  /** What `appendTo` adds to an archive at most, in bytes. */
  bytes(): Promise<number>;
  /** Adds the files behind all masks, and finishes the archive: until then they are read. */
  appendTo(archive: ArchiveWriter, volumeList?: string): Promise<void>;
  /** Removes the temporary files. */
  discard(): Promise<void>;
}

/** @param isSplit whether the masks lie in volumes, so that the manifests tell in which */
export async function openArchiveIndex(folder: string, { classes, mode }: RunContext, isSplit: boolean): Promise<ArchiveIndex> {
  const lines = await openTextFile(join(folder, "manifest.ndjson.partial"));
  const table = await openTextFile(join(folder, "manifest.csv.partial"));
  await table.write(tableHeader(isSplit));
  const inColour = mode === ColourMode.RGB;
  const mapping = [
    [ARCHIVE_FILES.classMappingJson, Buffer.from(classMappingJson(classes, inColour))],
    [ARCHIVE_FILES.classMappingText, Buffer.from(classMappingText(classes, inColour))],
  ] as const;
  const manifests = [
    [ARCHIVE_FILES.manifestLines, lines],
    [ARCHIVE_FILES.manifestTable, table],
  ] as const;
  return {
    async add(row, volume) {
      await lines.write(manifestLine(row, volume));
      await table.write(tableRow(row, isSplit ? (volume ?? "none") : undefined));
    },
    async bytes() {
      let bytes = mapping.reduce((sum, [name, content]) => sum + entryBytes(name, content.length), 0);
      for (const [name, file] of manifests) bytes += entryBytes(name, await file.end());
      return bytes;
    },
    async appendTo(archive, volumeList) {
      for (const [name, content] of mapping) await archive.append(name, content);
      for (const [name, file] of manifests) {
        await file.end();
        await archive.appendFile(name, file.path);
      }
      if (volumeList !== undefined) await archive.append(ARCHIVE_FILES.volumes, Buffer.from(volumeList));
      await archive.finish();
    },
    async discard() {
      await lines.discard();
      await table.discard();
    },
  };
}
