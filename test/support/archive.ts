/** Reads a small archive of masks whole, as somebody who got it from Hub would. */
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import yauzl from "yauzl";

/** The contents of a zip's entries by name, in the zip's order. For archives that fit in memory. */
export type Archive = ReadonlyMap<string, Buffer>;

export async function readArchive(file: string): Promise<Archive> {
  return readArchiveBytes(await readFile(file));
}

export function readArchiveBytes(bytes: Buffer): Promise<Archive> {
  return new Promise((resolve, reject) => {
    yauzl.fromBuffer(bytes, { lazyEntries: true }, (openError, zip) => {
      if (openError) {
        reject(openError);
        return;
      }
      const entries = new Map<string, Buffer>();
      zip.on("error", reject);
      zip.on("end", () => resolve(entries));
      zip.on("entry", (entry: yauzl.Entry) => {
        zip.openReadStream(entry, (error, stream) => {
          if (error) {
            reject(error);
            return;
          }
          buffer(stream).then((content) => {
            entries.set(entry.fileName, content);
            zip.readEntry();
          }, reject);
        });
      });
      zip.readEntry();
    });
  });
}

/** A class in class_mapping.json: its gray value, or its red, green and blue. */
export type ClassValue = number | readonly [number, number, number];

function isClassValue(value: unknown): value is ClassValue {
  return typeof value === "number" || (Array.isArray(value) && value.length === 3 && value.every((channel) => typeof channel === "number"));
}

/** class_mapping.json of an archive, in its order. */
export function classMapping(entries: Archive): ReadonlyMap<string, ClassValue> {
  const bytes = entries.get("class_mapping.json");
  if (!bytes) throw new Error("the archive holds no class_mapping.json");
  const mapping: unknown = JSON.parse(bytes.toString("utf8"));
  if (typeof mapping !== "object" || mapping === null) throw new Error("class_mapping.json is not an object");
  return new Map(
    Object.entries(mapping).map(([title, value]) => {
      if (!isClassValue(value)) throw new Error(`class_mapping.json gives ${JSON.stringify(title)} the value ${JSON.stringify(value)}`);
      return [title, value];
    }),
  );
}
