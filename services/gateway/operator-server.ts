/**
 * The operator's door: HTTP on the loopback, for the commands on the gateway's own machine (`maskline sessions`, `maskline cancel`). Where it
 * is and the token that opens it stand in a file that only the gateway's owner can read; both are new in every process.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describeError } from "../runtime/errors.js";
import type { Logger } from "../runtime/log.js";
import type { Operator } from "./operator.js";
import { cancelRequest, OPERATOR_PATHS, type OperatorDoor } from "./operator-api.js";

export interface OperatorServer {
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const MAX_BODY_BYTES = 16 * 2 ** 10;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Listens on a free port of 127.0.0.1 and writes `file` (mode 0600); `close` removes it.
 * @throws system errors of listening and of writing the file
 */
export async function serveOperator(operator: Operator, file: string, gateway: string, log: Logger): Promise<OperatorServer> {
  const token = randomBytes(32).toString("base64url");
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    reply(request, operator, token)
      .catch((error: unknown): Reply => {
        log.error({ error: describeError(error) }, "a request of an operator failed");
        return { status: 500, body: { problem: "the gateway could not do it; its log says why" } };
      })
      .then((answer) => send(request, response, answer));
  });
  server.maxConnections = 16;
  const port = await listen(server);
  const startedAt = new Date().toISOString();
  try {
    await writeDoor(file, { address: `http://127.0.0.1:${port}`, token, gateway, pid: process.pid, startedAt });
  } catch (error) {
    server.close();
    throw error;
  }
  return {
    async close() {
      await rm(file, { force: true });
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/** A reader sees the whole file, the one before, or none. */
async function writeDoor(file: string, door: OperatorDoor): Promise<void> {
  const partial = `${file}.partial`;
  await rm(partial, { force: true });
  try {
    const handle = await open(partial, "wx", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(door)}\n`);
    } finally {
      await handle.close();
    }
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** The token is checked before anything of the body is read. */
async function reply(request: IncomingMessage, operator: Operator, token: string): Promise<Reply> {
  if (!isToken(request.headers.authorization, token)) return { status: 401, body: { problem: "the token is missing or wrong" } };
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  if (request.method === "GET" && url.pathname === OPERATOR_PATHS.sessions) {
    return { status: 200, body: operator.sessions(url.searchParams.has("all")) };
  }
  if (request.method !== "POST" || url.pathname !== OPERATOR_PATHS.cancel) {
    return { status: 404, body: { problem: `there are GET ${OPERATOR_PATHS.sessions} and POST ${OPERATOR_PATHS.cancel}` } };
  }
  const asked = cancelRequest.safeParse(await readJson(request));
  if (!asked.success) return { status: 400, body: { problem: "the body must be JSON: a session's or run's id, and by whom" } };
  return { status: 200, body: await operator.cancel(asked.data.id, asked.data.by) };
}

/** Compared in constant time, whatever the lengths. */
function isToken(given: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return given !== undefined && timingSafeEqual(digest(given), digest(`Bearer ${token}`));
}

/** Undefined when it is too long, or no JSON. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return undefined;
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, body }: Reply): void {
  const unread = !request.complete;
  response.writeHead(status, { "content-type": "application/json", ...(unread ? { connection: "close" } : {}) });
  response.end(JSON.stringify(body));
}
