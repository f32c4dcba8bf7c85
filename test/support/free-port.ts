import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below those that the system gives to whoever asks for any port: nobody else takes one while its server is not there. */
const FIRST = 10_240;
const END = 32_768;
const TRIES = 50;

const given = new Set<number>();

/** A port of the loopback that is free now and was not given before, for a process that can not be asked which one it took, or that comes back to the same one. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(FIRST, END);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`${TRIES} ports from ${FIRST} to ${END - 1} are taken`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    const listening = once(server, "listening");
    server.listen(port, "127.0.0.1");
    await listening;
    server.close();
    await once(server, "close");
    return true;
  } catch {
    return false;
  }
}
