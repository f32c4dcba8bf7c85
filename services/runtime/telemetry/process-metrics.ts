/** What the process itself shows: memory, processor, event loop, and the room left on its volume. */
import { statfs } from "node:fs/promises";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import {
  cpuTime,
  diskLimit,
  diskUsage,
  eventLoopMax,
  eventLoopMean,
  eventLoopP99,
  eventLoopUtilization,
  heapUsed,
  memoryUsage,
  uptime,
} from "./metrics.js";

/** Milliseconds; finer ones cost more timers. */
const LOOP_RESOLUTION = 20;
/** Who collects twice within this time (Prometheus and an OTLP exporter) is shown the same delays, not the rest since the other. */
const SAME_COLLECTION_MS = 1_000;

/** @param folder on the volume to watch. Returns how to end it. */
export function observeProcess(folder: string): () => void {
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION });
  loop.enable();
  let shown = { mean: 0, p99: 0, max: 0 };
  let shownAt = Number.NEGATIVE_INFINITY;
  const delays = () => {
    if (performance.now() - shownAt < SAME_COLLECTION_MS) return shown;
    // The histogram measures whole intervals, in nanoseconds; the delay is what they are too long.
    const seconds = (nanoseconds: number) => (nanoseconds > 0 ? Math.max(0, nanoseconds / 1e9 - LOOP_RESOLUTION / 1e3) : 0);
    shown = { mean: seconds(loop.mean), p99: seconds(loop.percentile(99)), max: seconds(loop.max) };
    shownAt = performance.now();
    loop.reset();
    return shown;
  };
  const ends = [
    memoryUsage.observe(() => [[process.memoryUsage.rss(), {}]]),
    heapUsed.observe(() => [[process.memoryUsage().heapUsed, {}]]),
    uptime.observe(() => [[process.uptime(), {}]]),
    cpuTime.observe(() => {
      const { user, system } = process.cpuUsage();
      return [
        [user / 1e6, { "cpu.mode": "user" }],
        [system / 1e6, { "cpu.mode": "system" }],
      ];
    }),
    eventLoopMean.observe(() => [[delays().mean, {}]]),
    eventLoopP99.observe(() => [[delays().p99, {}]]),
    eventLoopMax.observe(() => [[delays().max, {}]]),
    eventLoopUtilization.observe(() => [[performance.eventLoopUtilization().utilization, {}]]),
    diskUsage.observe(async () => {
      const { bsize, blocks, bfree, bavail } = await statfs(folder);
      return [
        [bavail * bsize, { "system.filesystem.state": "free" }],
        [(blocks - bfree) * bsize, { "system.filesystem.state": "used" }],
      ];
    }),
    diskLimit.observe(async () => {
      const { bsize, blocks } = await statfs(folder);
      return [[blocks * bsize, {}]];
    }),
  ];
  return () => {
    loop.disable();
    for (const end of ends) end();
  };
}
