/**
 * Nearly all of a row are coordinates, and as JSON values each point would be an object of its own. So they are read straight from the bytes:
 * what is left of the row is a small JSON text in which `[k]` stands for the k-th list of points.
 *
 * Only what is exactly as expected is lifted. Anything else (a value in another form, an exponent, an escaped key, a third coordinate) makes
 * the row go the ordinary way, which decides what is wrong with it; so both ways always come to the same result.
 */
import { MOST_DELTA_BYTES, putDelta } from "../../proto/deltas.js";
import type { Contour } from "../../proto/gen/maskline/v1/pipeline.js";
import { INT32_MAX, INT32_MIN, roundedCoordinate } from "./round-coordinate.js";

export interface LiftedRow {
  /** The row's JSON with `[k]` for the lists of points. */
  readonly json: Buffer;
  /** By k. */
  readonly contours: readonly LiftedContour[];
}

export interface LiftedContour extends Contour {
  /** How many; never none. */
  readonly points: number;
}

/** Rows beyond it go the ordinary way, where limits are looked at before memory is taken for the points. */
const MOST_BYTES = 8 * 2 ** 20;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_N = 0x6e;

/** Keys that hold a list of points, and the one that holds a list of such lists (docs/hub-protocol.md section 12). */
const POLYGON = Buffer.from("polygon");
const REGION = Buffer.from("region");
const HOLES = Buffer.from("holes");
const NULL = Buffer.from("null");

/** Decimals of a coordinate that are read here: with at most 15 digits in all, one division gives the double that JSON.parse gives. */
const POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15] as const;
const MOST_DIGITS = 15;

/** Lifts the coordinates of one row, or undefined when it has to be read as a whole. */
export function liftCoordinates(row: Buffer): LiftedRow | undefined {
  if (row.length > MOST_BYTES) return undefined;
  const lifter = new Lifter(row);
  return lifter.lift() ? { json: lifter.json(), contours: lifter.contours() } : undefined;
}

/** A point takes six bytes of the row at least, `[0,0],`, and ten of deltas at most. */
const DELTA_BYTES_PER_ROW_BYTE = (2 * MOST_DELTA_BYTES) / 6;

/** Deltas of the row that is being read; kept, for rows are much alike. */
let scratch = Buffer.alloc(0);

function scratchFor(row: Buffer): Buffer {
  const bytes = Math.ceil(row.length * DELTA_BYTES_PER_ROW_BYTE) + 2 * MOST_DELTA_BYTES;
  if (scratch.length < bytes) scratch = Buffer.allocUnsafeSlow(bytes);
  return scratch;
}

/** Of the deltas of all contours. */
interface Span {
  readonly start: number;
  readonly end: number;
  readonly points: number;
}

class Lifter {
  readonly #row: Buffer;
  readonly #deltas: Buffer;
  /** Where the next delta goes. */
  #written = 0;
  readonly #spans: Span[] = [];
  /** What is left, in pieces of the row and placeholders. */
  readonly #pieces: Buffer[] = [];
  /** The row up to here is in `#pieces`. */
  #kept = 0;
  /** Where the coordinate that was read last ended; negative: it was none. */
  #at = 0;

  constructor(row: Buffer) {
    this.#row = row;
    this.#deltas = scratchFor(row);
  }

  contours(): LiftedContour[] {
    const deltas = Buffer.copyBytesFrom(this.#deltas, 0, this.#written);
    return this.#spans.map(({ start, end, points }) => ({ points, deltas: deltas.subarray(start, end) }));
  }

  json(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  lift(): boolean {
    const row = this.#row;
    for (let quote = row.indexOf(QUOTE); quote >= 0; quote = row.indexOf(QUOTE, this.#at)) {
      const end = endOfString(row, quote + 1);
      if (end < 0) return false;
      this.#at = end + 1;
      const colon = skipBlanks(row, end + 1);
      if (row[colon] === COLON && !this.#liftValueOf(quote + 1, end, skipBlanks(row, colon + 1))) return false;
    }
    this.#pieces.push(row.subarray(this.#kept));
    return true;
  }

  #liftValueOf(keyStart: number, keyEnd: number, value: number): boolean {
    const length = keyEnd - keyStart;
    // An escaped key may be any of them.
    if (this.#row.subarray(keyStart, keyEnd).includes(BACKSLASH)) return false;
    if (
      (length === POLYGON.length && isAt(this.#row, keyStart, POLYGON)) ||
      (length === REGION.length && isAt(this.#row, keyStart, REGION))
    ) {
      this.#at = this.#liftPoints(value);
      return this.#at >= 0;
    }
    if (length !== HOLES.length || !isAt(this.#row, keyStart, HOLES)) return true;
    this.#at = this.#liftHoles(value);
    return this.#at >= 0;
  }

  /** The index behind a list of lists of points, or negative. */
  #liftHoles(start: number): number {
    const row = this.#row;
    if (row[start] === LOWER_N) return behindNull(row, start);
    if (row[start] !== OPEN) return -1;
    let at = skipBlanks(row, start + 1);
    if (row[at] === CLOSE) return at + 1;
    for (;;) {
      const end = this.#liftPoints(at);
      if (end < 0) return -1;
      at = skipBlanks(row, end);
      if (row[at] === CLOSE) return at + 1;
      if (row[at] !== COMMA) return -1;
      at = skipBlanks(row, at + 1);
    }
  }

  /** Takes a list of points out of the row; the index behind it, or negative. `null` and an empty list stay. */
  #liftPoints(start: number): number {
    const row = this.#row;
    if (row[start] === LOWER_N) return behindNull(row, start);
    if (row[start] !== OPEN) return -1;
    const first = skipBlanks(row, start + 1);
    if (row[first] === CLOSE) return first + 1;
    const written = this.#written;
    const points = this.#readPoints(first);
    if (points < 0) return -1;
    this.#pieces.push(row.subarray(this.#kept, start), Buffer.from(`[${this.#spans.length}]`));
    this.#kept = this.#at;
    this.#spans.push({ start: written, end: this.#written, points });
    return this.#at;
  }

  /** Reads `[x, y], ...]` up to behind the closing bracket; how many points they are, or negative. */
  #readPoints(start: number): number {
    const row = this.#row;
    const deltas = this.#deltas;
    let points = 0;
    let written = this.#written;
    let lastX = 0;
    let lastY = 0;
    this.#at = start;
    for (;;) {
      if (row[this.#at] !== OPEN) return -1;
      this.#at += 1;
      const x = this.#readCoordinate();
      if (row[this.#at] !== COMMA) return -1;
      this.#at += 1;
      const y = this.#readCoordinate();
      if (row[this.#at] !== CLOSE) return -1;
      if (!(x >= INT32_MIN && x <= INT32_MAX && y >= INT32_MIN && y <= INT32_MAX)) return -1;
      written = putDelta(deltas, written, (x - lastX) | 0);
      written = putDelta(deltas, written, (y - lastY) | 0);
      points++;
      lastX = x;
      lastY = y;
      const next = skipBlanks(row, this.#at + 1);
      if (row[next] === CLOSE) {
        this.#at = next + 1;
        this.#written = written;
        return points;
      }
      if (row[next] !== COMMA) return -1;
      this.#at = skipBlanks(row, next + 1);
    }
  }

  /** A rounded coordinate with the blanks around it, or NaN. */
  #readCoordinate(): number {
    const row = this.#row;
    let at = skipBlanks(row, this.#at);
    const negative = row[at] === MINUS;
    if (negative) at += 1;
    const start = at;
    let digits = 0;
    let byte = row[at] as number;
    while (byte >= ZERO && byte <= NINE) {
      digits = digits * 10 + byte - ZERO;
      byte = row[++at] as number;
    }
    let count = at - start;
    // JSON knows no number without a digit before the dot, and none with a zero in front.
    if (count === 0 || (count > 1 && row[start] === ZERO)) return Number.NaN;
    let decimals = 0;
    if (byte === DOT) {
      const dot = at;
      byte = row[++at] as number;
      while (byte >= ZERO && byte <= NINE) {
        digits = digits * 10 + byte - ZERO;
        byte = row[++at] as number;
      }
      decimals = at - dot - 1;
      if (decimals === 0) return Number.NaN;
      count += decimals;
    }
    if (count > MOST_DIGITS) return Number.NaN;
    this.#at = byte === COMMA || byte === CLOSE ? at : skipBlanks(row, at);
    const value = decimals === 0 ? digits : digits / (POWERS[decimals] as number);
    return roundedCoordinate(negative ? -value : value);
  }
}

/** The index of the closing quote, or negative. */
function endOfString(row: Buffer, start: number): number {
  for (let quote = row.indexOf(QUOTE, start); quote >= 0; quote = row.indexOf(QUOTE, quote + 1)) {
    let backslashes = 0;
    while (row[quote - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote;
  }
  return -1;
}

function skipBlanks(row: Buffer, start: number): number {
  let at = start;
  for (let byte = row[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = row[at]) at++;
  return at;
}

function behindNull(row: Buffer, start: number): number {
  return isAt(row, start, NULL) ? start + NULL.length : -1;
}

function isAt(row: Buffer, start: number, word: Buffer): boolean {
  for (let k = 0; k < word.length; k++) if (row[start + k] !== word[k]) return false;
  return true;
}
