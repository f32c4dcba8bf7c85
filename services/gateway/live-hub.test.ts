import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Server } from "socket.io";
import { type LocalHttp, sendJson, startLocalHttp } from "../../test/support/local-http.js";
import { createLogger } from "../runtime/log.js";
import type { HubEnd } from "./hub.js";
import { createLiveHub } from "./live-hub.js";
import { parseSession } from "./session-payload.js";

const never = new AbortController().signal;
const SECRET = "plugin-secret-0123";
const payload = { projectId: "5f0f", session: "s-1", apiKey: "runner-key-0123", orgId: "org", runBy: "user" };
const session = parseSession(payload);

let api: LocalHttp;
let hub: Server;
let events: [string, unknown][] = [];
let projectReply: unknown = {};

before(async () => {
  api = await startLocalHttp((_request, response) => sendJson(response, 200, projectReply));
  hub = new Server(api.server, { pingInterval: 30, pingTimeout: 1000 });
  hub.of("/plugin").on("connection", (socket) => {
    socket.onAny((event: string, value: unknown) => {
      events.push([event, value]);
      if (event === "heartbeat") socket.emit("plugin", payload);
    });
  });
});

after(async () => {
  await hub.close();
  await api.close();
});

function create(connector: "WS" | "REST", onListening?: (port: number) => void): HubEnd {
  const common = {
    host: api.origin,
    apiHost: api.origin,
    pluginId: "plugin-1",
    pluginSecret: SECRET,
    listenHost: "127.0.0.1",
    port: 0,
    postAnswer: "accepted",
  } as const;
  const rest = { retries: { attempts: 2, firstDelayMs: 1, maxDelayMs: 2 } };
  return createLiveHub(
    { ...common, connector, exportTimeoutMs: 2000, rest, ...(onListening ? { onListening } : {}) },
    createLogger("silent"),
  );
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let k = 0; k < 1000; k += 1) {
    if (holds()) return;
    await sleep(5);
  }
  assert.fail(`it never came true: ${what}`);
}

test("over the WebSocket a session comes in, its lines go out without secrets, and its answer is confirmed", async () => {
  events = [];
  const accepted: unknown[] = [];
  const end = create("WS");
  try {
    await end.start(async (value) => void accepted.push(value));
    await until("the session", () => accepted.length === 1);
    assert.equal(end.connected(), true);
    end.log(session, "WARNING", `not ${SECRET}, not ${session.apiKey}, not https://h/p?sig=1`);
    await end.answer(session, { error: true, session: "s-1" }, never);
    assert.deepEqual(accepted, [payload]);
    assert.deepEqual(events, [
      ["heartbeat", { id: "plugin-1", secret: SECRET }],
      [
        "log",
        {
          level: "WARNING",
          organization: "org",
          pluginId: "plugin-1",
          runBy: "user",
          session: "s-1",
          msg: "not [redacted], not [redacted], not https://h/p?[redacted]",
        },
      ],
      ["response", { error: true, session: "s-1" }],
    ]);
  } finally {
    await end.stop();
  }
  assert.equal(end.connected(), false);
});

test("over HTTP a session comes in, and lines and answer are posted", async () => {
  let port = 0;
  const accepted: unknown[] = [];
  const end = create("REST", (listening) => {
    port = listening;
  });
  projectReply = {};
  api.seen.length = 0;
  try {
    await end.start(async (value) => void accepted.push(value));
    const headers = { secret: SECRET, "content-type": "application/json" };
    await fetch(`http://127.0.0.1:${port}/plugin`, { method: "POST", headers, body: JSON.stringify(payload) });
    assert.deepEqual(accepted, [payload]);
    end.log(session, "INFO", "hello");
    await end.answer(session, { error: true, session: "s-1" }, never);
    assert.deepEqual(
      api.seen.map(({ url, body }) => [url, JSON.parse(body.toString()).msg]),
      [
        ["/v2/pluginLog", "hello"],
        ["/v2/pluginResponse", undefined],
      ],
    );
  } finally {
    await end.stop();
  }
});

test("the project is parsed; an answer that is none is a failure that does not quote it", async () => {
  const end = create("WS");
  projectReply = { status: "success", data: { project: { _id: "5f0f", name: "Town", categorySchema: { tools: [] } } } };
  assert.equal((await end.project(session, never)).name, "Town");
  projectReply = { status: "success", data: { apiKey: "owner-key" } };
  await assert.rejects(end.project(session, never), (error: Error) => error.name === "HubFailure" && !error.message.includes("owner-key"));
  projectReply = "<html>";
  await assert.rejects(end.project(session, never), { name: "HubFailure" });
  await end.stop();
});
