import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 5;

/**
 * Polls until the check is true, at most `ms`.
 * @throws Error that says what was waited for.
 */
export async function eventually(what: string, check: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain for: ${what}`);
    await sleep(POLL_MS);
  }
}
