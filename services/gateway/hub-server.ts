/**
 * The REST connector's server (docs/hub-protocol.md section 3): Hub calls `GET /heartbeat` and `POST /plugin`. A session is answered 200
 * once it is durably accepted, or when Hub has its result (docs/adr/0006); only the result call tells how it ended.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { describeError, Fatal } from "../runtime/errors.js";
import type { Logger } from "../runtime/log.js";
import type { Connector } from "./connector.js";
import { createHeldPosts, type HeldPosts } from "./held-posts.js";
import type { Reporter } from "./http-reporter.js";
import { asFields } from "./json-value.js";
import { sessionNameIn } from "./session-payload.js";

/** When `POST /plugin` is answered: when the session is stored, or when Hub has its result. */
export type PostAnswer = "accepted" | "result";

export interface HubServerOptions {
  readonly listenHost: string;
  readonly port: number;
  readonly pluginSecret: string;
  readonly postAnswer: PostAnswer;
  readonly reporter: Reporter;
  readonly log: Logger;
  /** Told the port once it listens (0 in the options: any free one). */
  readonly onListening?: (port: number) => void;
}

const MAX_BODY_BYTES = 2 ** 20;
const BODY_TIMEOUT_MS = 30_000;
/** For requests under way when we stop. */
const FINISH_MS = 500;
/** A refused body is read away for so long, so that the refusal is read; whoever goes on sending is cut. */
const LINGER_MS = 1_000;

interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Inbox {
  readonly pluginSecret: string;
  /** Resolves when the POST may be answered 200. */
  readonly take: (session: string, payload: unknown) => Promise<void>;
}

export function createHubServer(options: HubServerOptions): Connector {
  const { reporter, log, pluginSecret, postAnswer } = options;
  let accept: (payload: unknown) => Promise<void> = async () => {};
  const held: HeldPosts = createHeldPosts();
  const take: Inbox["take"] = async (session, payload) => {
    // Before it is accepted: its result may be there as soon as it is.
    const post = postAnswer === "result" ? held.hold(session) : undefined;
    try {
      await accept(payload);
      await post?.released;
    } finally {
      post?.letGo();
    }
  };
  const server = createServer({ requestTimeout: BODY_TIMEOUT_MS, headersTimeout: BODY_TIMEOUT_MS }, (request, response) => {
    reply(request, { pluginSecret, take })
      .catch((error: unknown) => {
        log.error({ error: describeError(error) }, "a request of Hub failed");
        return { status: 500, body: { detail: "Internal Server Error" } };
      })
      .then((answer) => send(request, response, answer));
  });

  return {
    start(onPayload) {
      accept = onPayload;
      return new Promise((resolve, reject) => {
        const { listenHost, port } = options;
        const refuse = (cause: Error) =>
          reject(new Fatal(`the REST connector can not listen on ${listenHost}:${port}; set PORT or LISTEN_HOST to others`, { cause }));
        server.once("error", refuse);
        server.listen(port, listenHost, () => {
          server.off("error", refuse);
          server.on("error", (error) => log.error({ error: describeError(error) }, "Hub's connection could not be taken"));
          const address = server.address();
          if (typeof address === "object" && address) options.onListening?.(address.port);
          resolve();
        });
      });
    },
    connected: () => server.listening,
    log: reporter.log,
    async answer(session, answer, signal) {
      try {
        await reporter.answer(session, answer, signal);
      } finally {
        // Also when Hub did not take it: the answer to its POST never told how a session ended.
        held.release(session.session);
      }
    },
    async stop() {
      reporter.stop();
      // Their sessions are stored; the next start goes on with them.
      held.releaseAll();
      if (!server.listening) return;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        // A session that is being accepted is still acknowledged.
        setTimeout(() => server.closeAllConnections(), FINISH_MS).unref();
      });
    },
  };
}

/** The secret is checked before anything of the body is read. */
async function reply(request: IncomingMessage, { pluginSecret, take }: Inbox): Promise<Reply> {
  const path = (request.url ?? "").split("?")[0];
  const method = { "/heartbeat": "GET", "/plugin": "POST" }[path ?? ""];
  if (method === undefined) return refusal(404, "Not Found");
  if (request.method !== method) return { ...refusal(405, "Method Not Allowed"), headers: { allow: method } };
  if (!isSecret(request.headers.secret, pluginSecret)) return refusal(401, "Unauthorized");
  if (path === "/heartbeat") return { status: 200, body: "ok" };
  if (!/\bjson\b/i.test(request.headers["content-type"] ?? "")) return refusal(422, "the body must be application/json");
  const text = await readBody(request);
  if (text === undefined) return refusal(413, `the body is larger than ${MAX_BODY_BYTES} bytes`);
  let payload: unknown;
  try {
    payload = JSON.parse(text);
  } catch {
    return refusal(422, "the body is not JSON");
  }
  if (!asFields(payload)) return refusal(422, "the body is not a JSON object");
  const session = sessionNameIn(payload);
  if (session === undefined) return refusal(422, "the body names no session, so that nobody could be answered");
  await take(session, payload);
  return { status: 200, body: null };
}

function refusal(status: number, detail: string): Reply {
  return { status, body: { detail } };
}

/** Compared in constant time, whatever the lengths. */
function isSecret(given: string | string[] | undefined, secret: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return typeof given === "string" && timingSafeEqual(digest(given), digest(secret));
}

/** Undefined: it is too large. The rest of it stays unread then. */
function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= MAX_BODY_BYTES) return;
      request.off("data", take).pause();
      resolve(undefined);
    };
    request.on("data", take).once("error", reject);
    request.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
}

function send(request: IncomingMessage, response: ServerResponse, { status, body, headers = {} }: Reply): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
  if (request.complete) return;
  request.on("error", () => undefined).resume();
  const cut = setTimeout(() => request.socket.destroy(), LINGER_MS).unref();
  request.once("end", () => clearTimeout(cut));
}
