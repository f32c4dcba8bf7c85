/** Who holds a lock file, and whether it can be asked if that process lives. */
import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

export interface Owner {
  readonly host: string;
  /** What `pid` is a number of, see `pidSpace`. */
  readonly space: string | undefined;
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Another one each time. */
  readonly id: string;
}

export function thisProcess(): Owner {
  return { host: hostname(), space: PID_SPACE, pid: process.pid, startedAt: new Date().toISOString(), id: randomUUID() };
}

/** Undefined when it is not a lock of ours, or one that is just being written. */
export function parseOwner(content: string): Owner | undefined {
  try {
    const { host, space, pid, startedAt, id } = JSON.parse(content) as Partial<Record<keyof Owner, unknown>>;
    if (typeof host !== "string" || typeof startedAt !== "string" || typeof id !== "string") return undefined;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid < 1) return undefined;
    return { host, space: typeof space === "string" ? space : undefined, pid, startedAt, id };
  } catch {
    return undefined;
  }
}

export function describeOwner({ host, pid, startedAt }: Owner): string {
  return `process ${pid} on ${host} since ${startedAt}`;
}

/**
 * Where the owner of a lock is that this process does not hold. "here": its pid is in use; "gone": it is not, or it is ours by now;
 * "another container": on a host that is called as ours, where pids count differently, so it can not be asked.
 */
export function whereabouts({ host, space, pid }: Owner): "here" | "gone" | "another container" | "another host" {
  if (host !== hostname()) return "another host";
  if (space === undefined || space !== PID_SPACE) return "another container";
  return pid === process.pid || isDead(pid) ? "gone" : "here";
}

function isDead(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // EPERM: it lives, as another user.
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

const PID_SPACE = pidSpace();

/**
 * Pids can be compared within one boot of one kernel and, on Linux, within one namespace, which containers do not share
 * (https://man7.org/linux/man-pages/man7/pid_namespaces.7.html). Undefined: it can not be told.
 */
function pidSpace(): string | undefined {
  if (process.platform !== "linux") return process.platform;
  try {
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return undefined;
  }
}
