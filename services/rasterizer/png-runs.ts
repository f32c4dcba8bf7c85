/**
 * PNG files straight from rows of runs: 8-bit gray (colour type 0) or 8-bit RGB (colour type 2), every row with filter type 0. No pixel is
 * ever stored. The same rows always give the same bytes. (PNG specification, third edition; RFC 1950, RFC 1951.)
 */
import { BitWriter } from "./bit-writer.js";
import { chunkCrc, type PixelSums, pixelSums, RowAdler } from "./checksums.js";
import { RunDeflater } from "./deflate-runs.js";
import { type PngEncoder, type PngFormat, PngTooLarge } from "./png-format.js";
import type { RowRuns } from "./row-runs.js";
import { RowTokens } from "./row-tokens.js";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const IHDR = 0x49484452;
const IDAT = 0x49444154;
const IEND = 0x49454e44;
/** Deflate with a window of 32 KiB, default level: RFC 1950 section 2.2. */
const ZLIB_HEADER = Uint8Array.of(0x78, 0x9c);
const COLOUR_TYPE = { 1: 0, 3: 2 } as const;
const BIT_DEPTH = 8;

/** Encodes one image after the other; holds the buffers that this takes. */
export class RunPngEncoder implements PngEncoder {
  readonly #out = new BitWriter();
  readonly #tokens: RowTokens;
  #adler = new RowAdler();
  #sums: readonly PixelSums[] = [];
  #bytesPerPixel: 1 | 3 = 1;
  /** Where the IDAT chunk starts. */
  #data = 0;
  readonly #maxBytes: number;

  /**
   * @param maxBytes of a file
   * @param tokensPerBlock see RunDeflater
   */
  constructor(maxBytes = Number.POSITIVE_INFINITY, tokensPerBlock?: number) {
    this.#maxBytes = maxBytes;
    this.#tokens = new RowTokens(new RunDeflater(this.#out, tokensPerBlock));
  }

  get heldBytes(): number {
    return this.#out.bytes.byteLength;
  }

  start(format: PngFormat): void {
    this.#bytesPerPixel = format.bytesPerPixel;
    this.#sums = format.values.map((value) => pixelSums(value, format.bytesPerPixel));
    this.#adler = new RowAdler();
    this.#out.clear();
    this.#out.append(SIGNATURE);
    this.#writeChunk(IHDR, headerOf(format));
    this.#data = this.#out.length;
    this.#out.uint32(0);
    this.#out.uint32(IDAT);
    this.#out.append(ZLIB_HEADER);
    this.#tokens.start(format);
  }

  row(row: RowRuns, above: RowRuns): void {
    this.#adler.addRow(row, this.#sums, this.#bytesPerPixel);
    this.#tokens.addRow(row, above);
    this.#checkSize();
  }

  finish(): Uint8Array {
    const out = this.#out;
    this.#tokens.finish();
    out.reserve(32);
    out.uint32(this.#adler.value());
    out.setUint32(this.#data, out.length - this.#data - 8);
    out.uint32(chunkCrc(out.bytes.subarray(this.#data + 4, out.length)));
    this.#writeChunk(IEND, new Uint8Array(0));
    this.#checkSize();
    return out.bytes.slice(0, out.length);
  }

  /** Blocks are written when they are full, so a file is noticed to be too large about a block later. */
  #checkSize(): void {
    if (this.#out.length > this.#maxBytes) throw new PngTooLarge();
  }

  #writeChunk(type: number, data: Uint8Array): void {
    const out = this.#out;
    out.uint32(data.length);
    out.uint32(type);
    out.append(data);
    out.uint32(chunkCrc(out.bytes.subarray(out.length - data.length - 4, out.length)));
  }
}

/** The data of IHDR: size, depth, colour type, and three zeros: deflate, adaptive filtering, not interlaced. */
function headerOf({ width, height, bytesPerPixel }: PngFormat): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = BIT_DEPTH;
  header[9] = COLOUR_TYPE[bytesPerPixel];
  return header;
}
