import type { Location } from "./ledger.js";

interface Chunk {
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
}

const CHUNK_SIZE = 4096;

/** Log locations in the order they were added: 12 bytes each. In chunks, so that growing copies nothing. */
export class LocationList {
  readonly #chunks: Chunk[] = [];
  #size = 0;

  /** How many there are; the next one gets this position. */
  get size(): number {
    return this.#size;
  }

  add({ offset, length }: Location): void {
    const chunk = this.#chunkOf(this.#size);
    chunk.offsets[this.#size % CHUNK_SIZE] = offset;
    chunk.lengths[this.#size % CHUNK_SIZE] = length;
    this.#size += 1;
  }

  /** The `count` locations from position `first` on, all of which were added. */
  slice(first: number, count: number): Location[] {
    return Array.from({ length: count }, (_, step) => {
      const chunk = this.#chunks[Math.floor((first + step) / CHUNK_SIZE)];
      const place = (first + step) % CHUNK_SIZE;
      return { offset: chunk?.offsets[place] ?? 0, length: chunk?.lengths[place] ?? 0 };
    });
  }

  #chunkOf(position: number): Chunk {
    const number = Math.floor(position / CHUNK_SIZE);
    const chunk = this.#chunks[number] ?? { offsets: new Float64Array(CHUNK_SIZE), lengths: new Uint32Array(CHUNK_SIZE) };
    this.#chunks[number] = chunk;
    return chunk;
  }
}
