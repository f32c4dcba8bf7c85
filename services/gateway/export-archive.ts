/** What Hub delivers as an export, a zip archive or plain text, as a stream of its text. The only import of yauzl. */
import { read, type Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { crc32, createInflateRaw } from "node:zlib";
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from "yauzl";
import { HubFailure } from "./hub.js";
import { sizeInWords } from "./user-words.js";

const CHUNK_BYTES = 1024 * 1024;
const DEFLATED = 8;

/** So much text does no harm however well it was compressed. */
const HARMLESS_BYTES = 1024 * 1024;

/** How much of a plain file is looked at to tell text from anything else. */
const SNIFFED_BYTES = 512;

export interface ArchiveLimits {
  /** Bytes of the text, uncompressed. */
  readonly maxEntryBytes: number;
  /** How many times larger the text may be than what it was compressed to; texts up to 1 MiB are not held to it. */
  readonly maxRatio: number;
}

/** Where the text lies in the downloaded file. */
export interface ExportText {
  readonly start: number;
  readonly length: number;
  readonly deflated: boolean;
  /** What the archive says of the text; undefined for a plain file. */
  readonly declared: { readonly bytes: number; readonly crc: number } | undefined;
}

/**
 * Finds the text: the first entry of a zip archive whatever its name, or the whole of a plain file (docs/hub-protocol.md section 5.1).
 * @throws HubFailure, in a user's words, when there is none that can be read.
 */
export async function locateExportText(file: FileHandle, { maxEntryBytes, maxRatio }: ArchiveLimits): Promise<ExportText> {
  const stats = await file.stat();
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFFED_BYTES), 0, SNIFFED_BYTES, 0);
  const head = buffer.subarray(0, bytesRead);
  if (head.length === 0) throw new HubFailure("The export is empty: its file has 0 bytes. Run the export again.");
  const text = head.toString("latin1", 0, 2) === "PK" ? await locateInZip(file, stats) : plainText(head, stats);
  const bytes = text.declared?.bytes ?? text.length;
  checkLimits({ bytes, length: text.length }, { maxEntryBytes, maxRatio });
  return text;
}

/**
 * The text in chunks of up to 1 MiB, each the consumer's own. Whatever an archive claims, no more than the limits allow is inflated.
 * @throws HubFailure when the archive is damaged (its size and CRC-32 are checked at the end), the signal's reason when aborted.
 */
export async function* readExportText(
  file: FileHandle,
  text: ExportText,
  limits: ArchiveLimits,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  let bytes = 0;
  let crc = 0;
  const stream = text.length > 0 ? openText(file, text) : undefined;
  try {
    for await (const chunk of stream ?? []) {
      signal.throwIfAborted();
      if (bytes === 0 && text.declared) checkInflated(chunk);
      bytes += chunk.length;
      if (text.declared) crc = crc32(chunk, crc);
      checkLimits({ bytes, length: text.length }, limits);
      yield chunk;
    }
  } catch (error) {
    throw isOfZlib(error) ? damaged(error) : error;
  } finally {
    stream?.destroy();
  }
  if (!text.declared) return;
  if (bytes !== text.declared.bytes) throw damaged(new Error(`its text has ${bytes} bytes, and should have ${text.declared.bytes}`));
  if (crc !== text.declared.crc) throw damaged(new Error("its checksum does not match"));
}

function openText(file: FileHandle, { start, length, deflated }: ExportText): Readable {
  const source = file.createReadStream({ start, end: start + length - 1, highWaterMark: CHUNK_BYTES, autoClose: false });
  // An error of either stream ends both, and is thrown where the last one is read.
  return deflated ? pipeline(source, createInflateRaw({ chunkSize: CHUNK_BYTES }), () => undefined) : source;
}

function checkLimits({ bytes, length }: { bytes: number; length: number }, { maxEntryBytes, maxRatio }: ArchiveLimits): void {
  if (bytes > maxEntryBytes) {
    throw new HubFailure(
      `The export is too large: ${sizeInWords(bytes)} of text or more, and this installation allows ${sizeInWords(maxEntryBytes)}. Export fewer batches or stages at a time, or raise the limit.`,
    );
  }
  if (bytes > HARMLESS_BYTES && bytes > length * maxRatio) {
    throw new HubFailure(
      `The export's archive is compressed more than ${maxRatio} times, as archives are that are made to do harm. If it is sound, raise EXPORT_RATIO_LIMIT.`,
    );
  }
}

/** Another archive within this one, or text that is not UTF-8, would be rejected row by row, and nobody would learn why. */
function checkInflated(head: Buffer): void {
  if (head.subarray(0, SNIFFED_BYTES).includes(0)) {
    throw new HubFailure("The export can not be read: what its archive holds is not JSON text in UTF-8. Run the export again.");
  }
}

/** Text has no control characters but blanks. What begins with `<` is a page that tells of an error. */
function plainText(head: Buffer, { size }: Stats): ExportText {
  const text = head.toString("latin1").replace(/^\xef\xbb\xbf/, "");
  const isPage = text.trimStart().startsWith("<");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  if (isPage || /[\x00-\x08\x0b\x0c\x0e-\x1f]/.test(text)) {
    throw new HubFailure(
      `The export can not be read: it is ${isPage ? "a web page" : "something"} that is neither a zip archive nor JSON text.`,
    );
  }
  return { start: 0, length: size, deflated: false, declared: undefined };
}

async function locateInZip(file: FileHandle, { size }: Stats): Promise<ExportText> {
  try {
    const zip = await fromRandomAccessReaderPromise(new FileReader(file.fd, size), size, { decodeStrings: false, autoClose: false });
    if (zip.entryCount === 0) throw new HubFailure("The export is an empty archive. Run the export again.");
    const entry = await firstEntry(zip);
    if (!entry.canDecodeFileData()) {
      const how = entry.isEncrypted() ? "encrypted" : `compressed with method ${entry.compressionMethod}`;
      throw new HubFailure(`The export's archive is ${how}; allowed: deflated or stored, not encrypted.`);
    }
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
    return {
      start: fileDataStart,
      length: entry.compressedSize,
      deflated: entry.compressionMethod === DEFLATED,
      declared: { bytes: entry.uncompressedSize, crc: entry.crc32 },
    };
  } catch (error) {
    throw error instanceof HubFailure || isOfSystem(error) ? error : damaged(error);
  }
}

async function firstEntry(zip: ZipFile): Promise<Entry> {
  for await (const entry of zip.eachEntry()) return entry;
  throw new Error("it has no entry");
}

/**
 * Offsets come from the archive. One that lies outside of the file is an error for yauzl here; with a reader of its own, `fs.read`
 * would throw in one of its callbacks, and the process would die of a hostile archive.
 */
class FileReader extends RandomAccessReader {
  readonly #fd: number;
  readonly #size: number;

  constructor(fd: number, size: number) {
    super();
    this.#fd = fd;
    this.#size = size;
  }

  override read(...[buffer, offset, length, position, callback]: Parameters<RandomAccessReader["read"]>): void {
    if (position >= 0 && position + length <= this.#size) read(this.#fd, buffer, offset, length, position, callback);
    else setImmediate(callback, new Error("it points outside of itself"));
  }

  override _readStreamForRange(): Readable {
    throw new Error("entries are read from the file itself");
  }
}

function damaged(cause: unknown): HubFailure {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new HubFailure(`The export's archive is damaged or incomplete (${reason}). Run the export again.`, { cause });
}

function isOfSystem(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function isOfZlib(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
}
