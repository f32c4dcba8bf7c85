/** Sessions share what may be in flight. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { OutgoingMessage } from "../../services/runtime/bus/bus.js";
import { sessionPayload } from "./fake-hub.js";
import { openStage, someRows, until } from "./stage.js";

/** Withheld outcomes are no stall here. */
const OPTIONS = { rows: someRows(200), credits: { window: 40, globalWindow: 40, maxBytes: 2 ** 20 }, timing: { stall: 60_000 } };

test("a second session gets its share of a window that the first has filled, and both end", async () => {
  const stage = await openStage(OPTIONS);
  try {
    const packager = stage.packager("p1");
    const withheld: OutgoingMessage[] = [];
    stage.onMessage = (message) => void withheld.push(message);
    await stage.hub.deliver(sessionPayload("S1"));
    await until("the window is full", () => withheld.length === 40);
    await stage.hub.deliver(sessionPayload("S2"));
    const second = () => withheld.filter(({ key }) => key !== withheld[0]?.key).length;
    await until("the second session has begun", () => second() === 16);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(withheld.length, 56, "and nothing more is published until outcomes come");
    stage.onMessage = (message) => packager.account(message);
    for (const message of withheld.splice(0)) packager.account(message);
    await until("both answers", () => stage.hub.answers.length === 2);
    assert.ok(stage.hub.answers.every((answer) => "export" in answer));
    assert.equal(stage.published.length, 400);
    assert.deepEqual(stage.fatal, []);
  } finally {
    await stage.close();
  }
});

test("a session that ends in the middle gives its share back", async () => {
  const stage = await openStage(OPTIONS);
  try {
    const packager = stage.packager("p1");
    stage.onMessage = () => undefined;
    await stage.hub.deliver(sessionPayload("S1"));
    await until("the window is full", () => stage.published.length === 40);
    await stage.hub.deliver(sessionPayload("S2"));
    await until("the second session has begun", () => stage.published.length === 56);
    const run = stage.published[0]?.key ?? assert.fail();
    await packager.gateway.report({ run, epoch: 1, result: { $case: "failed", value: { reason: "its disk is full" } } });
    await until("the second session has the whole window", () => stage.published.length === 80);
  } finally {
    await stage.close();
  }
});
