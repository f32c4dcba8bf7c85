/** Bytes, and bits packed into bytes from the least significant one up (RFC 1951 section 3.1.1). */
export class BitWriter {
  bytes = new Uint8Array(1 << 16);
  /** Whole bytes written. */
  length = 0;
  /** Bits that do not make a byte yet, fewer than 8. */
  pending = 0;
  pendingBits = 0;

  clear(): void {
    this.length = 0;
    this.pending = 0;
    this.pendingBits = 0;
  }

  /** Makes room for `more` bytes; the other methods do not look. `bytes` may be another array afterwards. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(Math.ceil((this.length + more) * 1.5));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  /** Writes the lowest `count` bits, at most 24, of a value that has no others. */
  bits(value: number, count: number): void {
    let pending = this.pending | (value << this.pendingBits);
    let pendingBits = this.pendingBits + count;
    while (pendingBits >= 8) {
      this.bytes[this.length++] = pending;
      pending >>>= 8;
      pendingBits -= 8;
    }
    this.pending = pending;
    this.pendingBits = pendingBits;
  }

  /** Fills the last byte with zeros. */
  align(): void {
    if (this.pendingBits > 0) this.bits(0, 8 - this.pendingBits);
  }

  /** Writes whole bytes; only when aligned. */
  append(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Writes 32 bits, most significant byte first, as PNG and zlib do; only when aligned. */
  uint32(value: number): void {
    this.setUint32(this.length, value);
    this.length += 4;
  }

  /** Overwrites 32 bits at an offset. */
  setUint32(offset: number, value: number): void {
    this.bytes[offset] = value >>> 24;
    this.bytes[offset + 1] = value >>> 16;
    this.bytes[offset + 2] = value >>> 8;
    this.bytes[offset + 3] = value;
  }
}
