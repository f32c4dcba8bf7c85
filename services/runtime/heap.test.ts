import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { promisify } from "node:util";

const heap = new URL("./heap.js", import.meta.url).href;

/**
 * Some 40 MB are alive at any time, half of it messages that live until they are old, and then die. Prints how much heap that takes at most.
 * V8's first limit is a guess of its own: the first collection comes before.
 */
const script = `
const { keepHeapsSmall } = await import(${JSON.stringify(heap)});
keepHeapsSmall();
const alive = Array.from({ length: 300_000 }, (_, index) => ({ index, text: "x" + index }));
globalThis.gc();
const held = new Array(150_000);
let most = 0;
for (let step = 0; step < 1_500_000; step++) {
  held[step % held.length] = { step, text: "message " + step, list: [step, step] };
  if (step % 10_000 === 0) most = Math.max(most, process.memoryUsage().heapTotal);
}
console.log(alive.length > 0 && most / 1e6);`;

/** It takes 140 MB, of which 50 are for new objects; V8 by itself takes 215. */
const MOST_MB = 175;

describe("keepHeapsSmall", () => {
  it("looks for garbage long before it is a multiple of what is alive, however much memory the machine has", async () => {
    const args = ["--expose-gc", "--max-old-space-size=4096", "--input-type=module", "--eval", script];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    assert.ok(Number(stdout) < MOST_MB, `${stdout.trim()} MB of heap`);
  });
});
