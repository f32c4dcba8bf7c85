/** What a process has used, and what lies in a folder; for benchmarks on Linux. */
import { readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Processor time of all its threads: utime and stime of proc(5), in ticks of 10 ms as on every Linux that Node runs on. */
export function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Its highest resident memory so far. */
export function peakBytes(pid: number): number {
  return memory(pid, "VmHWM");
}

/** Its resident memory now. */
export function residentBytes(pid: number): number {
  return memory(pid, "VmRSS");
}

function memory(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
}

/** What lies in a folder whose files come and go, on the disk itself. */
export async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder, { recursive: true })) {
    const file = await stat(join(folder, name)).catch(() => undefined);
    if (file?.isFile()) bytes += file.blocks * 512;
  }
  return bytes;
}
