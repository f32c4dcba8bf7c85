/** The volumes of a run's archive that are written, durably: what a restart goes on from (docs/delivery.md rule 19). */
import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { archiveVolumeName } from "../../proto/archive-volume-name.js";
import { isMissing, publishFile } from "./durable-files.js";

export interface VolumeRecord {
  /** From 1; the records are those from 1 without a gap. */
  readonly number: number;
  readonly masks: number;
  readonly bytes: number;
  /** Of the file, in hex. */
  readonly sha256: string;
  /** Of its content, see archive-volume.ts. */
  readonly digest: string;
  /** Where the user gets it: a secret to everyone else. Absent until it is uploaded. */
  readonly url?: string;
}

const FILE = "volumes.json";

export function volumeFile(folder: string, number: number): string {
  return join(folder, `volume-${number}.zip`);
}

/** Those of the run in that folder. What can not be understood counts as none: then all are written anew. */
export async function readVolumes(folder: string): Promise<VolumeRecord[]> {
  try {
    const parsed: unknown = JSON.parse(await readFile(join(folder, FILE), "utf8"));
    return Array.isArray(parsed) && parsed.every(isNthRecord) ? parsed : [];
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return [];
    throw error;
  }
}

export async function storeVolumes(folder: string, records: readonly VolumeRecord[]): Promise<void> {
  const partial = join(folder, `${FILE}.partial`);
  // The links let whoever has them read the masks.
  const file = await open(partial, "w", 0o600);
  try {
    await file.writeFile(JSON.stringify(records));
  } finally {
    await file.close();
  }
  await publishFile(partial, join(folder, FILE));
}

/** Forgets the volumes: they are written anew. */
export async function forgetVolumes(folder: string): Promise<void> {
  const records = await readVolumes(folder);
  await rm(join(folder, FILE), { force: true });
  for (const { number } of records) await rm(volumeFile(folder, number), { force: true });
}

/** `volumes.json` of the archive, a volume a line. */
export function volumeList(records: readonly VolumeRecord[], archiveName: string): string {
  const lines = records.map(({ number, masks, bytes, sha256, url }) =>
    JSON.stringify({ volume: number, file: archiveVolumeName(archiveName, number), masks, bytes, sha256, url }),
  );
  return `{"volumes":[\n${lines.join(",\n")}\n]}\n`;
}

function isNthRecord(value: unknown, index: number): value is VolumeRecord {
  if (typeof value !== "object" || value === null) return false;
  const { number, masks, bytes, sha256, digest, url }: { readonly [key in keyof VolumeRecord]?: unknown } = value;
  const counts = [masks, bytes].every((count) => typeof count === "number");
  const texts = [sha256, digest, url ?? ""].every((text) => typeof text === "string");
  return number === index + 1 && counts && texts;
}
