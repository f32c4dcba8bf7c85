/** Ports that stay free until somebody listens on them, though many processes start and connect meanwhile. */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below those that systems give to outgoing connections: nobody gets one of these by chance. */
const RANGE = { first: 15_000, end: 32_000 };
const TRIES = 100;

const given = new Set<number>();

/** A port of the loopback that nobody listens on, and that was not given before. */
export async function quietPort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(RANGE.first, RANGE.end);
    if (given.has(port)) continue;
    const server = createServer();
    try {
      await once(server.listen(port, "127.0.0.1"), "listening");
    } catch {
      continue;
    }
    server.close();
    await once(server, "close");
    given.add(port);
    return port;
  }
  throw new Error(`no free port from ${RANGE.first} to ${RANGE.end}`);
}
