/** Fuzzes in a thread of its own: one that hangs or fills its memory is ended by whoever started it (fuzz-run.ts). */
import { parentPort, workerData } from "node:worker_threads";
import type { FuzzTask } from "./fuzz-run.js";
import { FUZZERS } from "./streams.js";

const { stream, seed, from, end, beats } = workerData as FuzzTask;
const beat = new Int32Array(beats);
const fuzz = await FUZZERS[stream]();
const tally = await fuzz(seed, from, end, (mutant) => Atomics.store(beat, 0, mutant));
parentPort?.postMessage({ tally, peakBytes: process.memoryUsage().rss });
