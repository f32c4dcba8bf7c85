/** Where the first directory of a TIFF lies (TIFF 6.0 section 2; BigTIFF is the same with 64-bit offsets), and it without all the rest. */
import type { BytesWanted, ImagePiece } from "./image-header.js";

/** Lengths in bytes. */
const CLASSIC = { header: 8, count: 2, entry: 12, next: 4 };
const BIG = { header: 16, count: 8, entry: 20, next: 8 };

/** Asked for at first; most directories have 10 to 30. */
const USUAL_ENTRIES = 64;
/** Tags are in ascending order, and those of the size are among the first. */
const MOST_ENTRIES = 4096;

export type TiffDirectory =
  /** A TIFF that consists of header and directory alone. */
  { readonly compact: Uint8Array } | { readonly wanted: BytesWanted } | { readonly problem: string };

/**
 * @param first the beginning of the file, at least 16 bytes
 * @param fileBytes the length of the file; infinite when it is not known
 */
export function tiffDirectory(first: Uint8Array, piece: ImagePiece | undefined, fileBytes: number): TiffDirectory {
  const view = viewOf(first);
  const little = view.getUint8(0) === 0x49;
  const isBig = view.getUint16(2, little) === 43;
  const { header, count, entry, next } = isBig ? BIG : CLASSIC;
  const at = isBig ? Number(view.getBigUint64(8, little)) : view.getUint32(4, little);
  const broken = { problem: `is a broken TIFF: its directory should be at byte ${at}, where none can be` };
  if (at < header || at + count > fileBytes) return broken;

  const available = bytesAt(at, first, piece);
  if (available.length < count) return { wanted: { from: at, end: Math.min(at + count + USUAL_ENTRIES * entry, fileBytes) } };
  const written = isBig ? Number(viewOf(available).getBigUint64(0, little)) : viewOf(available).getUint16(0, little);
  const length = count + Math.min(written, MOST_ENTRIES) * entry;
  if (at + length > fileBytes) return broken;
  if (available.length < length) return { wanted: { from: at, end: at + length } };

  // Zeros follow, as if there were no further directory: no reader goes on into something else.
  const compact = new Uint8Array(header + length + next + entry);
  compact.set(first.subarray(0, header));
  compact.set(available.subarray(0, length), header);
  if (isBig) viewOf(compact).setBigUint64(8, BigInt(header), little);
  else viewOf(compact).setUint32(4, header, little);
  return { compact };
}

/** What is there of the file from that byte on. */
function bytesAt(at: number, first: Uint8Array, piece: ImagePiece | undefined): Uint8Array {
  if (piece && piece.from <= at && at < piece.from + piece.bytes.length) return piece.bytes.subarray(at - piece.from);
  return first.subarray(at);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
