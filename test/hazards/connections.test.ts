/** Each way that docs/hub-protocol.md section 2.5 tells of losing Hub in the middle of a session, and what it is over HTTP. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Fault } from "../hub-simulator/http-answers.js";
import type { CutKind, RefusalKind } from "../hub-simulator/plugin-namespace.js";
import type { HubEvent } from "../hub-simulator/server.js";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { assertArchive, assertCleanStage } from "./endings.js";
import { createGate, inTime, linesOf, openStage, PATIENCE_MS, type Stage } from "./stage.js";

/** How long Hub is away: longer than several tries. */
const AWAY_MS = 800;

const CUTS: Readonly<Record<string, CutKind>> = {
  "its TCP connection is cut": "tcp",
  "Hub takes the namespace away": "namespace",
  "Hub closes the connection cleanly": "clean",
};

const REFUSALS: Readonly<Record<string, RefusalKind>> = {
  "Hub refuses every new connection for a while": "refused",
  "Hub answers no handshake for a while": "unanswered",
};

const TROUBLES: Readonly<Record<string, Fault>> = {
  "every call is reset": "reset",
  "every call is answered 503": { status: 503 },
  "no call is answered": "hang",
};

/** A session that is held while Hub makes its export, a stage around it, and what reached Hub. */
async function withHeldSession(
  connector: "WS" | "REST",
  use: (parts: {
    stage: Stage;
    events: HubEvent[];
    press: () => ReturnType<ReturnType<Stage["trial"]>["press"]>;
    go: () => void;
  }) => Promise<void>,
): Promise<void> {
  const events: HubEvent[] = [];
  const gate = createGate();
  const stage = await openStage({ connector, callTimeoutMs: 300, onEvent: (event) => events.push(event) });
  try {
    const trial = stage.trial({ fault: ({ name }) => (name === "export" ? gate.opened : undefined) });
    const press = async () => {
      const handle = await trial.press();
      await eventuallyHolds(() => assert.ok(trial.requests.includes("export")), PATIENCE_MS);
      return handle;
    };
    await use({ stage, events, press, go: gate.open });
  } finally {
    await stage.close();
  }
  assertCleanStage(stage);
}

const connectionsIn = (events: readonly HubEvent[]) => events.filter((event) => "connection" in event && event.connection.connected).length;

/** What came first on each connection, by socket. */
function beatsBeforeTheRest({ hub }: Stage, events: readonly HubEvent[]): void {
  assert.equal(hub.heartbeats.length, connectionsIn(events), "a heartbeat on each connection");
  assert.ok(hub.heartbeats.every(({ valid }) => valid));
}

describe("WS: a session goes on and is answered once when,", { concurrency: true, timeout: 120_000 }, () => {
  for (const [how, kind] of Object.entries(CUTS)) {
    it(`while Hub makes its export, ${how}, again and again`, async () => {
      await withHeldSession("WS", async ({ stage, events, press, go }) => {
        const handle = await press();
        for (const connections of [2, 3, 4]) {
          stage.hub.cutSockets(kind);
          await eventuallyHolds(() => assert.equal(connectionsIn(events), connections), PATIENCE_MS);
          await stage.hub.waitForPlugin(PATIENCE_MS);
        }
        go();
        await inTime(handle);
        beatsBeforeTheRest(stage, events);
        assert.ok(linesOf(handle).some((line) => line.startsWith("INFO Done")));
      });
    });
  }

  for (const [how, kind] of Object.entries(REFUSALS)) {
    it(`after a cut, ${how}: its lines and its result wait and follow the heartbeat`, async () => {
      await withHeldSession("WS", async ({ stage, events, press, go }) => {
        const handle = await press();
        stage.hub.refuseSockets(AWAY_MS, kind);
        stage.hub.cutSockets("tcp");
        await eventuallyHolds(() => assert.ok(events.some((event) => "connection" in event && !event.connection.connected)), PATIENCE_MS);
        go();
        // All of it happens while Hub can not be told.
        await eventuallyHolds(() => assert.equal(stage.hub.uploads.length, 1), PATIENCE_MS);
        const result = await inTime(handle);
        assert.equal(result.export, true);
        beatsBeforeTheRest(stage, events);
        assert.ok(linesOf(handle).some((line) => line.startsWith("INFO Session accepted")));
      });
    });
  }

  it("the user's config is larger than a frame may be: what is said of it is cut, and the connection lives", async () => {
    const events: HubEvent[] = [];
    const stage = await openStage({ connector: "WS", onEvent: (event) => events.push(event) });
    try {
      const config = Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`unknown_key_number_${index}`, "x".repeat(10)]));
      const ended = await stage.trial().run({ configJSON: JSON.stringify({ ...config, verbose_frequency: "y".repeat(100_000) }) });
      assert.ok(ended.lines.some((line) => /^ERROR .*verbose_frequency/.test(line)));
      const warned = await stage.trial().run({ configJSON: JSON.stringify(config) });
      assertArchive(warned);
      assert.equal(connectionsIn(events), 1);
    } finally {
      await stage.close();
    }
    assertCleanStage(stage);
  });
});

describe("REST: a session goes on and is answered once when,", { concurrency: true, timeout: 120_000 }, () => {
  for (const [how, fault] of Object.entries(TROUBLES)) {
    it(`from its start until after its last asset, ${how}`, async () => {
      let away = true;
      const stage = await openStage({ connector: "REST", callTimeoutMs: 300 });
      try {
        const trial = stage.trial({ fault: ({ request }) => (away && request.headers.apikey !== undefined ? fault : undefined) });
        const running = trial.run();
        await eventuallyHolds(() => assert.ok(trial.requests.filter((name) => name === "project").length > 3), PATIENCE_MS);
        away = false;
        assertArchive(await running);
      } finally {
        await stage.close();
      }
      assertCleanStage(stage);
    });

    it(`when its archive is uploaded, ${how}: its result waits`, async () => {
      let away = false;
      const stage = await openStage({ connector: "REST", callTimeoutMs: 300 });
      try {
        const trial = stage.trial({
          fault: ({ name, request }) => {
            if (name === "upload") away = true;
            return away && request.headers.apikey !== undefined ? fault : undefined;
          },
        });
        const running = trial.run();
        await eventuallyHolds(() => assert.ok(trial.requests.filter((name) => name === "pluginResponse").length > 1), PATIENCE_MS);
        away = false;
        assertArchive(await running);
      } finally {
        await stage.close();
      }
      assertCleanStage(stage);
    });
  }
});
