import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { promisify } from "node:util";

const heap = new URL("./heap.js", import.meta.url).href;

/**
 * Some 40 MB are alive at any time, half of it messages that live until they are old, and then die. Prints how much heap that takes at most,
 * and how often all of it was looked through. V8's first limit is a guess of its own: the first collection comes before.
 */
const script = (setting: "keepHeapsSmall" | "letHeapsGrow") => `
import { constants, PerformanceObserver } from "node:perf_hooks";
const heap = await import(${JSON.stringify(heap)});
heap.${setting}();
let collections = 0;
new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections++;
}).observe({ entryTypes: ["gc"] });
const alive = Array.from({ length: 300_000 }, (_, index) => ({ index, text: "x" + index }));
globalThis.gc();
const held = new Array(150_000);
let most = 0;
for (let step = 0; step < 1_500_000; step++) {
  held[step % held.length] = { step, text: "message " + step, list: [step, step] };
  if (step % 10_000 === 0) most = Math.max(most, process.memoryUsage().heapTotal);
}
await new Promise((resolve) => setTimeout(resolve, 10));
console.log(JSON.stringify({ alive: alive.length, megabytes: most / 1e6, collections }));`;

async function heapUnder(
  setting: "keepHeapsSmall" | "letHeapsGrow",
): Promise<{ readonly megabytes: number; readonly collections: number }> {
  const args = ["--expose-gc", "--max-old-space-size=4096", "--input-type=module", "--eval", script(setting)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

/** It takes 140 MB, of which 50 are for new objects; V8 by itself takes 215. */
const MOST_MB = 175;

describe("how far heaps grow", () => {
  it("small: garbage is looked for long before it is a multiple of what is alive, however much memory the machine has", async () => {
    const { megabytes } = await heapUnder("keepHeapsSmall");
    assert.ok(megabytes < MOST_MB, `${megabytes} MB of heap`);
  });

  it("left to grow: it is looked for a fraction as often", async () => {
    const [small, large] = [await heapUnder("keepHeapsSmall"), await heapUnder("letHeapsGrow")];
    assert.ok(large.collections * 2 <= small.collections, `${large.collections} collections instead of ${small.collections}`);
  });
});
