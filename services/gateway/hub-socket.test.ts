import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Server, type Socket } from "socket.io";
import { Retry } from "../runtime/errors.js";
import { createLogger } from "../runtime/log.js";
import type { Connector } from "./connector.js";
import type { Answer, Session } from "./hub.js";
import { createHubSocket } from "./hub-socket.js";
import { logRecord } from "./log-record.js";

const never = new AbortController().signal;
const SECRET = "plugin-secret-0123";
const session: Session = {
  session: "s-1",
  projectId: "p",
  apiKey: "key-0123",
  orgId: "org",
  runBy: "user",
  configJson: undefined,
  stage: undefined,
  batches: [],
};
const answer: Answer = { export: true, response: "https://signed/x?sig=1", session: "s-1" };
const HEARTBEAT = `2/plugin,["heartbeat",{"id":"plugin-1","secret":"${SECRET}"}]`;
const SLOW_PING = 60_000;

const http = createServer();
const hub = new Server(http, { pingInterval: SLOW_PING, pingTimeout: 1000 });
/** Frames as they came, per connection. */
let connections: string[][] = [];
let handshakes: string[] = [];
let sockets: Socket[] = [];
let lines: string[] = [];
let host = "";
let connector: Connector;
type Next = (error?: Error) => void;
/** Whether the namespace lets a connection in. */
let gate: (next: Next) => void;

before(async () => {
  hub.engine.on("connection", (raw) => {
    const frames: string[] = [];
    connections.push(frames);
    handshakes.push(raw.request.url);
    raw.on("packet", ({ type, data }: { type: string; data: unknown }) => {
      if (type === "message") frames.push(String(data));
    });
  });
  hub.of("/plugin").use((_socket, next) => gate(next));
  hub.of("/plugin").on("connection", (socket) => void sockets.push(socket));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const address = http.address();
  host = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
});

beforeEach(() => {
  connections = [];
  handshakes = [];
  sockets = [];
  lines = [];
  pingEvery(SLOW_PING);
  gate = (next) => next();
  connector = createConnector();
});

afterEach(() => connector.stop());
after(() => hub.close());

function createConnector(at = host, { heartbeatMs = 60_000, connectTimeoutMs = 2000 } = {}): Connector {
  return createHubSocket({
    host: at,
    pluginId: "plugin-1",
    pluginSecret: SECRET,
    heartbeatMs,
    connectTimeoutMs,
    reconnect: { minDelayMs: 5, firstDelayMs: 10, maxDelayMs: 50 },
    log: createLogger("debug", (line) => void lines.push(line)),
  });
}

/** For connections from now on. */
function pingEvery(ms: number): void {
  hub.engine.opts.pingInterval = ms;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let k = 0; k < 1000; k += 1) {
    if (holds()) return;
    await sleep(5);
  }
  assert.fail(`it never came true: ${what}`);
}

const sent = (connection: number, event: string) => (connections[connection] ?? []).filter((frame) => frame.includes(`["${event}",`));

test("it dials the WebSocket directly, joins /plugin, and its first event is the heartbeat", async () => {
  await connector.start(async () => {});
  await until("a heartbeat", () => sent(0, "heartbeat").length === 1);
  assert.equal(connector.connected(), true);
  const query = new URL(handshakes[0] ?? "", host).searchParams;
  assert.equal(query.get("transport"), "websocket");
  assert.equal(query.get("EIO"), "4");
  assert.deepEqual(connections[0], ["0/plugin,", HEARTBEAT]);
});

test("the heart beats on while connected", async () => {
  await connector.stop();
  connector = createConnector(host, { heartbeatMs: 30 });
  await connector.start(async () => {});
  await until("three heartbeats", () => sent(0, "heartbeat").length >= 3);
});

test("logs and answers are single-argument events in Hub's form", async () => {
  await connector.start(async () => {});
  await until("a connection", () => connector.connected());
  connector.log(session, logRecord(session, "plugin-1", "INFO", "hello"));
  const stopped = assert.rejects(connector.answer(session, answer, never), Retry);
  await until("the answer", () => sent(0, "response").length === 1);
  assert.deepEqual(connections[0]?.slice(2), [
    '2/plugin,["log",{"level":"INFO","organization":"org","pluginId":"plugin-1","runBy":"user","session":"s-1","msg":"hello"}]',
    '2/plugin,["response",{"export":true,"response":"https://signed/x?sig=1","session":"s-1"}]',
  ]);
  await connector.stop();
  await stopped;
});

test("what was said before the stop still goes out", async () => {
  await connector.start(async () => {});
  await until("a connection", () => connector.connected());
  for (let k = 0; k < 50; k += 1) connector.log(session, logRecord(session, "plugin-1", "INFO", `${k} ${"x".repeat(30_000)}`));
  await connector.stop();
  await until("the last line", () => sent(0, "log").length === 50);
  assert.equal(connector.connected(), false);
});

test("a session goes to the callback; an acknowledgement that Hub asks for comes, empty, once it is accepted", async () => {
  const accepted: unknown[] = [];
  let release = () => {};
  const durable = new Promise<void>((resolve) => {
    release = resolve;
  });
  await connector.start(async (payload) => {
    accepted.push(payload);
    await durable;
  });
  await until("a connection", () => sockets.length === 1);
  sockets[0]?.emit("plugin", { session: "s-1" });
  await until("the session", () => accepted.length === 1);
  let acknowledged: unknown[] | undefined;
  sockets[0]?.emit("plugin", { session: "s-2" }, (...args: unknown[]) => {
    acknowledged = args;
  });
  await until("the second session", () => accepted.length === 2);
  await sleep(30);
  assert.equal(acknowledged, undefined);
  release();
  await until("the acknowledgement", () => acknowledged !== undefined);
  assert.deepEqual(acknowledged, []);
  assert.deepEqual(accepted, [{ session: "s-1" }, { session: "s-2" }]);
});

test("a session that is being accepted when the gateway stops is still acknowledged", async () => {
  let storing = () => {};
  let begun = false;
  await connector.start(() => {
    begun = true;
    return new Promise((resolve) => {
      storing = resolve;
    });
  });
  await until("a connection", () => sockets.length === 1);
  let acknowledged = false;
  sockets[0]?.emit("plugin", { session: "s-1" }, () => {
    acknowledged = true;
  });
  await until("the session", () => begun);
  const stopping = connector.stop();
  storing();
  await stopping;
  await until("the acknowledgement", () => acknowledged);
});

test("a session that can not be accepted is not acknowledged, and the connection goes on", async () => {
  await connector.start(() => Promise.reject(new Error("disk full")));
  await until("a connection", () => sockets.length === 1);
  let acknowledged = false;
  sockets[0]?.emit("plugin", {}, () => {
    acknowledged = true;
  });
  await until("the error in the log", () => lines.some((line) => line.includes("disk full")));
  // An acknowledgement would have come before this line, in the same stream.
  connector.log(session, logRecord(session, "plugin-1", "INFO", "the next frame"));
  await until("the next frame", () => sent(0, "log").length === 1);
  await sleep(5);
  assert.equal(acknowledged, false);
  assert.equal(connector.connected(), true);
});

for (const [how, cut] of [
  ["the connection is cut", (socket: Socket) => socket.conn.close()],
  ["Hub closes the transport", (socket: Socket) => socket.disconnect(true)],
  ["Hub takes only the namespace away", (socket: Socket) => socket.disconnect(false)],
] as const) {
  test(`it comes back when ${how}, with a heartbeat first`, async () => {
    await connector.start(async () => {});
    for (let k = 0; k < 3; k += 1) {
      await until(`connection ${k}`, () => sockets.length === k + 1 && sent(k, "heartbeat").length === 1);
      const socket = sockets[k];
      if (socket) cut(socket);
    }
    await until("the last connection", () => sent(3, "heartbeat").length === 1);
    assert.deepEqual(connections[3], ["0/plugin,", HEARTBEAT]);
  });
}

test("an answer that was cut before the pings is sent again, the same bytes; after them no more", async () => {
  await connector.start(async () => {});
  await until("a connection", () => connector.connected());
  let confirmed = false;
  const sending = connector.answer(session, answer, never).then(() => {
    confirmed = true;
  });
  await until("the answer", () => sent(0, "response").length === 1);
  pingEvery(40);
  sockets[0]?.conn.close();
  await until("the answer again", () => sent(1, "response").length === 1);
  assert.equal(confirmed, false);
  assert.deepEqual(sent(1, "response"), sent(0, "response"));
  await sending;
  sockets[1]?.conn.close();
  await until("the third connection", () => sent(2, "heartbeat").length === 1);
  await sleep(30);
  assert.deepEqual(sent(2, "response"), []);
});

test("what happens while Hub is away waits and goes out after the heartbeat, logs before the answer", async () => {
  await connector.start(async () => {});
  await until("a connection", () => connector.connected());
  sockets[0]?.conn.close();
  await until("the loss", () => !connector.connected());
  connector.log(session, logRecord(session, "plugin-1", "INFO", "while away"));
  const stopped = assert.rejects(connector.answer(session, answer, never), Retry);
  await until("the answer", () => sent(1, "response").length === 1);
  assert.deepEqual(
    connections[1]?.slice(1).map((frame) => /\["(\w+)"/.exec(frame)?.[1]),
    ["heartbeat", "log", "response"],
  );
  await connector.stop();
  await stopped;
});

test("a Hub that is not there yet is dialled until it is; no secret is in our log", async () => {
  const late = createServer();
  await new Promise<void>((resolve) => late.listen(0, "127.0.0.1", resolve));
  const address = late.address();
  const port = typeof address === "object" && address ? address.port : 0;
  await new Promise((resolve) => late.close(resolve));
  await connector.stop();
  connector = createConnector(`http://127.0.0.1:${port}`);
  await connector.start(async () => {});
  await until("some attempts", () => lines.filter((line) => line.includes("dialling again")).length >= 2);
  assert.equal(connector.connected(), false);
  const second = new Server(late, { pingInterval: SLOW_PING });
  let beats = 0;
  second.of("/plugin").on("connection", (socket) => socket.on("heartbeat", () => (beats += 1)));
  late.listen(port, "127.0.0.1");
  await until("a heartbeat", () => beats === 1);
  await connector.stop();
  await second.close();
  assert.ok(lines.every((line) => !line.includes(SECRET)));
});

test("why a Hub can not be reached is in the log, with its address", async () => {
  const nobody = createServer();
  await new Promise<void>((resolve) => nobody.listen(0, "127.0.0.1", resolve));
  const address = nobody.address();
  const port = typeof address === "object" && address ? address.port : 0;
  await new Promise((resolve) => nobody.close(resolve));
  const noHub = createServer((_request, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => noHub.listen(port, "127.0.0.1", resolve));
  const at = `http://127.0.0.1:${port}`;
  const lost = createConnector(at);
  try {
    await lost.start(async () => {});
    await until("the answer", () => lines.some((line) => line.includes("Unexpected server response: 404")));
    noHub.closeAllConnections();
    await new Promise((resolve) => noHub.close(resolve));
    await until("the refusal", () => lines.some((line) => line.includes("ECONNREFUSED")));
    assert.ok(lines.every((line) => !line.includes("dialling again") || line.includes(at)));
  } finally {
    await lost.stop();
    noHub.close();
  }
});

test("a namespace that Hub refuses, or never answers for, is dialled again", async () => {
  const gates = [() => {}, (next: Next) => next(new Error("not now")), (next: Next) => next()];
  gate = (next) => gates.shift()?.(next);
  await connector.stop();
  connector = createConnector(host, { connectTimeoutMs: 100 });
  await connector.start(async () => {});
  await until("a connection", () => connector.connected());
  const reasons = lines.map((line) => JSON.parse(line).reason).filter((reason) => reason !== undefined);
  assert.deepEqual(reasons, ["Hub did not answer in time", "not now"]);
});
