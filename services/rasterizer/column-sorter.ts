/** Sorts what lies on one row of an image by column. */

/** Above this many items sorting by digits is faster than insertion. */
const INSERTION_LIMIT = 48;

/** Two rounds of so many bits take half columns of images of any width (MAX_SIDE). */
const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;

/** Sorts one row after the other in time that grows with the row's items, whatever their order; holds the buffers that this takes. */
export class ColumnSorter {
  readonly #starts = new Int32Array(DIGITS);
  #keys = new Int32Array(0);
  #values = new Int32Array(0);

  /** Makes room for `items` items; `sort` does not look. */
  reserve(items: number): void {
    if (this.#keys.length >= items) return;
    this.#keys = new Int32Array(items);
    this.#values = new Int32Array(items);
  }

  /** Bytes of the buffers that have grown. */
  get heldBytes(): number {
    return this.#keys.byteLength + this.#values.byteLength;
  }

  /** Sorts the first `count` keys (not negative) ascending, each with its value. `values` may be the same array as `keys`. */
  sort(keys: Int32Array, values: Int32Array, count: number): void {
    if (count <= INSERTION_LIMIT) insert(keys, values, count);
    else this.#sortByDigits(keys, values, count);
  }

  /** The last digit first; every round keeps the order of the one before where its own digit is equal. */
  #sortByDigits(keys: Int32Array, values: Int32Array, count: number): void {
    let largest = 0;
    for (let i = 0; i < count; i++) largest = Math.max(largest, keys[i] as number);
    for (let shift = 0; largest >> shift > 0; shift += 2 * DIGIT_BITS) {
      this.#round(keys, values, this.#keys, this.#values, count, largest, shift);
      this.#round(this.#keys, this.#values, keys, values, count, largest, shift + DIGIT_BITS);
    }
  }

  #round(
    fromKeys: Int32Array,
    fromValues: Int32Array,
    toKeys: Int32Array,
    toValues: Int32Array,
    count: number,
    largest: number,
    shift: number,
  ): void {
    const starts = this.#starts;
    const digits = Math.min(DIGITS, (largest >> shift) + 1);
    starts.fill(0, 0, digits);
    for (let i = 0; i < count; i++) {
      const digit = ((fromKeys[i] as number) >> shift) & (DIGITS - 1);
      starts[digit] = (starts[digit] as number) + 1;
    }
    let start = 0;
    for (let digit = 0; digit < digits; digit++) {
      const items = starts[digit] as number;
      starts[digit] = start;
      start += items;
    }
    for (let i = 0; i < count; i++) {
      const key = fromKeys[i] as number;
      const digit = (key >> shift) & (DIGITS - 1);
      const at = starts[digit] as number;
      starts[digit] = at + 1;
      toKeys[at] = key;
      toValues[at] = fromValues[i] as number;
    }
  }
}

function insert(keys: Int32Array, values: Int32Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const key = keys[i] as number;
    const value = values[i] as number;
    let at = i;
    while (at > 0 && (keys[at - 1] as number) > key) {
      keys[at] = keys[at - 1] as number;
      values[at] = values[at - 1] as number;
      at--;
    }
    keys[at] = key;
    values[at] = value;
  }
}
