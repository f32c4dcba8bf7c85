/**
 * The size of an image from its first bytes: PNG, JPEG, WebP, TIFF, GIF, BMP and DICOM (docs/image-sizes.md). What comes is not trusted: any
 * bytes give a size, a wish for more bytes, or the reason why neither helps.
 */
import { dicomSize } from "./dicom-size.js";
import { type HeaderFormat, readHeader } from "./image-size.js";
import type { Size } from "./size.js";
import { tiffDirectory } from "./tiff-directory.js";

/** What has been read of an image. */
export interface ImageHead {
  /** From the beginning on. */
  readonly first: Uint8Array;
  /** Further on, for formats whose header does not stand at the beginning. */
  readonly piece?: ImagePiece | undefined;
  /** Length of the file where it is known. */
  readonly fileBytes: number | undefined;
}

export interface ImagePiece {
  readonly from: number;
  readonly bytes: Uint8Array;
}

/** These bytes of the file are needed, `end` not included. Those from the end of `first` on continue it, others are a piece. */
export interface BytesWanted {
  readonly from: number;
  readonly end: number;
}

export type Measured =
  | { readonly size: Size }
  | { readonly wanted: BytesWanted }
  /** In words that go on after "its image ...". */
  | { readonly problem: string };

/** As many bytes as tell all formats apart. */
const LEAST_BYTES = 132;
/** What is read of a header grows by this factor until it holds the size. */
const GROWTH = 8;

/** Never throws. The size is in pixels as the image is shown: a JPEG's EXIF orientation is applied. */
export function measureImage(head: ImageHead): Measured {
  const { first, fileBytes } = head;
  const complete = fileBytes !== undefined && first.length >= fileBytes;
  if (first.length < LEAST_BYTES && !complete) return { wanted: { from: first.length, end: LEAST_BYTES } };
  const format = formatOf(first);
  const found = format && sizeOf(format, head, complete);
  if (!format) return { problem: first.length === 0 ? "is empty" : `is none of ${FORMATS}: it starts with ${beginning(first)}` };
  if (!found) {
    return complete
      ? { problem: `is a broken ${format}, whose ${first.length} bytes do not tell its size` }
      : { wanted: { from: first.length, end: first.length * GROWTH } };
  }
  if ("problem" in found || "wanted" in found) return found;
  const { width, height } = found;
  const isLength = (length: number) => Number.isInteger(length) && length >= 1;
  if (!isLength(width) || !isLength(height)) return { problem: `is a ${format} of ${width} x ${height} pixels, which is no image` };
  return { size: { width, height } };
}

type ImageFormat = HeaderFormat | "DICOM";

const FORMATS = "PNG, JPEG, WebP, TIFF, GIF, BMP and DICOM";

/** Each byte as one character. DICOM's stands after a preamble that may hold anything, so it is looked for last. */
const SIGNATURES: readonly (readonly [ImageFormat, RegExp])[] = [
  // biome-ignore lint/suspicious/noControlCharactersInRegex: bytes, not text
  ["PNG", /^\x89PNG\r\n\x1a\n.{4}(?:IHDR|CgBI)/s],
  ["JPEG", /^\xff\xd8\xff/],
  ["WebP", /^RIFF.{4}WEBPVP8[ LX]/s],
  ["GIF", /^GIF8[79]a/],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: bytes, not text
  ["TIFF", /^(?:II[*+]\x00|MM\x00[*+]).{12}/s],
  // By the length of the header that follows: the oldest has 12 bytes, and other fields.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: bytes, not text
  ["BMP", /^BM.{12}[\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00/s],
  ["DICOM", /^.{128}DICM/s],
];

function formatOf(bytes: Uint8Array): ImageFormat | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, LEAST_BYTES));
  return SIGNATURES.find(([, signature]) => signature.test(start))?.[0];
}

/** Undefined: these bytes do not tell it. */
function sizeOf(format: ImageFormat, head: ImageHead, complete: boolean): Size | Exclude<Measured, { size: Size }> | undefined {
  const { first } = head;
  if (format === "DICOM") return dicomSize(first);
  if (format === "TIFF") return tiffSize(head);
  const size = readHeader(format, first);
  return format === "JPEG" && !complete && size ? confirmed(size, first) : size;
}

/**
 * Where the bytes end with a segment of a JPEG, image-size goes on inside of that segment, byte by byte, and may find a thumbnail. With one
 * byte less the segment is too long, and it finds nothing.
 */
function confirmed(size: Size, first: Uint8Array): Size | undefined {
  const again = readHeader("JPEG", first.subarray(0, first.length - 1));
  return again?.width === size.width && again.height === size.height ? size : undefined;
}

/** The directory of a TIFF may lie anywhere in the file; writers that do not know its contents beforehand put it at the end. */
function tiffSize({ first, piece, fileBytes = Number.POSITIVE_INFINITY }: ImageHead): Size | Exclude<Measured, { size: Size }> {
  const directory = tiffDirectory(first, piece, fileBytes);
  if (!("compact" in directory)) return directory;
  return readHeader("TIFF", directory.compact) ?? { problem: "is a TIFF whose first directory does not tell its size" };
}

/** For people: text as text, other bytes in hexadecimal. */
function beginning(bytes: Uint8Array): string {
  const start = bytes.subarray(0, 16);
  const isText = start.every((byte) => byte >= 0x20 && byte < 0x7f);
  if (isText) return JSON.stringify(String.fromCharCode(...start));
  return `the bytes ${Array.from(start, (byte) => byte.toString(16).padStart(2, "0")).join(" ")}`;
}
