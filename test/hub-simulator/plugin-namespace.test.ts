import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { io, type Socket } from "socket.io-client";
import { type HubSimulator, startHubSimulator } from "./server.js";

const plugin = { id: "plugin", secret: "secret" };
let hub: HubSimulator;
let sockets: Socket[];

beforeEach(async () => {
  sockets = [];
  hub = await startHubSimulator({ projects: [{ project: { _id: "p" } }], pluginId: plugin.id, pluginSecret: plugin.secret, apiKey: "key" });
});
afterEach(async () => {
  for (const socket of sockets) socket.disconnect();
  await hub.close();
});

/** The next event of a socket.io client; unlike `once` of node:events it does not take the event `error` for a failure. */
function next(emitter: { once(event: string, listener: () => void): unknown }, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${event} within 5 s`)), 5_000);
    emitter.once(event, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function connect(credentials: object = plugin): Promise<Socket> {
  const socket = io(`${hub.url}/plugin`, { transports: ["websocket"], forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 20 });
  sockets.push(socket);
  socket.on("connect", () => socket.emit("heartbeat", credentials));
  await next(socket, "connect");
  const beats = () => hub.heartbeats.filter((beat) => beat.socket === socket.id).length;
  for (let tries = 0; beats() === 0 && tries < 500; tries++) await new Promise((resolve) => setTimeout(resolve, 5));
  return socket;
}

const logRecord = (session: string, msg: string) => ({ level: "INFO", organization: "o", pluginId: "plugin", runBy: "u", session, msg });

test("a session goes to the plugin; its logs and its result come back under its id", async () => {
  const socket = await connect();
  socket.on("plugin", (payload: { session: string; apiKey: string; configJSON: string; stage?: unknown }) => {
    socket.emit("log", logRecord(payload.session, `${payload.apiKey} ${payload.configJSON} ${"stage" in payload}`));
    socket.emit("response", { error: true, session: payload.session });
  });
  const handle = await hub.run({ projectId: "p", configJSON: "[]" });
  assert.deepEqual(await handle.result, { error: true, session: handle.session });
  assert.deepEqual(handle.logs, [logRecord(handle.session, "key [] false")]);
  assert.deepEqual(hub.violations, []);
  await assert.rejects(handle.download(), /ended with an error/);
});

test("a wrong secret gets no reply and no session", async () => {
  const socket = await connect({ id: "plugin", secret: "wrong" });
  assert.equal(hub.heartbeats.at(-1)?.valid, false);
  assert.ok(socket.connected);
  await assert.rejects(hub.waitForPlugin(30), /no plugin with the right id and secret/);
});

test("the newest live connection gets the session, and a session delivered again keeps its handle", async () => {
  const [older, newer] = [await connect(), await connect()];
  const received: string[] = [];
  older.on("plugin", () => received.push("older"));
  newer.on("plugin", () => received.push("newer"));
  const handle = await hub.run({ projectId: "p", session: "s" });
  await next(newer, "plugin");
  newer.disconnect();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await hub.run({ projectId: "p", session: "s" }), handle);
  await next(older, "plugin");
  assert.deepEqual(received, ["newer", "older"]);
});

test("a cut socket may come back and answer, unless the simulator refuses it for a while", async () => {
  const socket = await connect();
  const { session, result } = await hub.run({ projectId: "p" });
  hub.refuseSockets(60);
  hub.cutSockets();
  await next(socket, "disconnect");
  await next(socket.io, "reconnect_error");
  await next(socket, "connect");
  socket.emit("response", { export: true, response: "http://127.0.0.1/x", session });
  assert.equal((await result).export, true);
  assert.equal(hub.heartbeats.length, 2);
});

test("what the protocol does not allow is noted", async () => {
  const socket = await connect();
  socket.emit("log", { level: "LOUD", organization: "o", pluginId: "p", runBy: "u", session: "x", msg: "m" });
  socket.emit("response", { session: "x" });
  socket.emit("hello", 1, 2);
  for (let tries = 0; hub.violations.length < 6 && tries < 500; tries++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(hub.violations, [
    'a log record has level "LOUD"; allowed: DEBUG, INFO, WARNING, ERROR',
    'a log record names the unknown session "x"',
    "a result has the keys session; allowed: {export: true, response, session} or {error: true, session}",
    'a result names the unknown session "x"',
    "event hello has 2 arguments; it should have 1",
    "event hello is not of the protocol",
  ]);
});

test("over the REST connector the session is posted to the plugin's server, and logs and result come by REST", async () => {
  const received: [string | undefined, string | string[] | undefined][] = [];
  const server = createServer((request, response) => {
    received.push([request.url, request.headers.secret]);
    response.end("null");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { session, logs, result } = await hub.run({
    projectId: "p",
    pluginServer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
  const post = (path: string, body: object) =>
    fetch(`${hub.url}${path}`, {
      method: "POST",
      headers: { apikey: "key", "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  assert.equal((await post("/v2/pluginLog", logRecord(session, "hello"))).status, 200);
  assert.equal((await post("/v2/pluginResponse", { error: true, session })).status, 200);
  assert.equal((await result).error, true);
  assert.equal(logs[0]?.msg, "hello");
  server.closeAllConnections();
  server.close();
  assert.deepEqual(received, [
    ["/heartbeat", "secret"],
    ["/plugin", "secret"],
  ]);
});
