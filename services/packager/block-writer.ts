import type { FileHandle } from "node:fs/promises";

export interface BlockWriter {
  /** Takes bytes at once and without bound: whoever calls holds back by `waiting`. They must not change afterwards. */
  take(chunk: Buffer): void;
  /** Bytes of whole blocks that are not yet written. */
  waiting(): number;
  /** Resolves when everything taken is written; rejects with the disk's error. */
  flush(): Promise<void>;
}

const BLOCK_BYTES = 256 * 1024;

/** A chunk of at least this size is written as it is; smaller ones are gathered. */
const LARGE_CHUNK_BYTES = BLOCK_BYTES / 4;

/**
 * Appends to an open file in large blocks. A stream in its place would keep every small chunk as an object of its own while the disk
 * is busy: hundreds of megabytes for the directory of a large zip. `onProgress` is told after each write, and of a failure.
 */
export function createBlockWriter(file: FileHandle, onProgress: (error?: Error) => void): BlockWriter {
  const blocks: Buffer[] = [];
  let open = Buffer.allocUnsafe(BLOCK_BYTES);
  let filled = 0;
  let position = 0;
  let waiting = 0;
  let writing: Promise<void> | undefined;
  let failure: unknown;

  function enqueue(block: Buffer): void {
    blocks.push(block);
    waiting += block.length;
    if (!writing && failure === undefined) writing = writeAll();
  }

  function closeBlock(): void {
    if (filled === 0) return;
    const block = open.subarray(0, filled);
    open = Buffer.allocUnsafe(BLOCK_BYTES);
    filled = 0;
    enqueue(block);
  }

  async function writeAll(): Promise<void> {
    try {
      for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
        for (let written = 0; written < block.length; ) {
          written += (await file.write(block, written, block.length - written, position + written)).bytesWritten;
        }
        position += block.length;
        waiting -= block.length;
        onProgress();
      }
    } catch (error) {
      failure = error;
      onProgress(error instanceof Error ? error : new Error(String(error)));
    } finally {
      writing = undefined;
    }
  }

  return {
    take(chunk) {
      if (chunk.length >= LARGE_CHUNK_BYTES) {
        closeBlock();
        enqueue(chunk);
      } else {
        if (filled + chunk.length > BLOCK_BYTES) closeBlock();
        filled += chunk.copy(open, filled);
      }
    },
    waiting: () => waiting,
    async flush() {
      closeBlock();
      await writing;
      if (failure !== undefined) throw failure;
    },
  };
}
