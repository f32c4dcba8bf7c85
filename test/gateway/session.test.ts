import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { AssetExported } from "../../proto/gen/maskline/v1/pipeline.js";
import { HubFailure } from "../../services/gateway/hub.js";
import { Retry } from "../../services/runtime/errors.js";
import { NotKnown } from "../../services/runtime/gateway-calls.js";
import { sessionPayload } from "./fake-hub.js";
import { openStage, type Stage, type StageOptions, someRows, until } from "./stage.js";

async function onStage(options: StageOptions, play: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await openStage(options);
  try {
    await play(stage);
    assert.deepEqual(stage.fatal, []);
  } finally {
    await stage.close();
  }
}

const answered = (stage: Stage) => until("an answer", () => stage.hub.answers[0]);
const ids = (stage: Stage) => stage.published.map(({ id }) => id.split("/").slice(1).join("/"));

test("a session becomes rows on the bus and one answer with the signed URL", () =>
  onStage({ rows: someRows(40) }, async (stage) => {
    const packager = stage.packager("p1");
    packager.counts = { maskedAssets: 38, masks: 40, skipped: { not_labeled: 1 }, rejected: { no_size: 1 }, dropped: {} };
    await stage.hub.deliver(sessionPayload("S1", { verbose_frequency: 10 }));
    const answer = await answered(stage);
    assert.deepEqual(answer, { export: true, response: "https://bucket.test/masks-Street-life-S1.zip?get=1", session: "S1" });

    assert.deepEqual(
      ids(stage),
      someRows(40).map((_, index) => `1.0/${index}`),
    );
    const first = AssetExported.decode(stage.published[0]?.body ?? new Uint8Array());
    assert.equal(first.row.toString(), someRows(1)[0]);
    const run = stage.published[0]?.key ?? "";
    assert.deepEqual(first.envelope, { run, gateway: "G", packager: "p1", epoch: 1, round: 0, index: 0, part: 0, parts: 0 });

    const lines = stage.hub.logs.map(({ level, message }) => `${level} ${message}`);
    assert.ok(lines.some((line) => line.startsWith("INFO Session accepted: 40 assets, 2 classes, single_channel_sequential")));
    assert.match(lines.at(-1) ?? "", /^WARNING Done in [\d.]+ s: 40 masks for 38 of \d+ assets\..*Rejected: 1 \(/);
    await until("the packager is told that the run has ended", () => packager.ended.includes(run));
    await until("blobs and export are erased", () => stage.erasedBlobs.includes(run));
    assert.deepEqual(await readdir(join(stage.folder, "gateway", "exports")), []);
    await assert.rejects(packager.gateway.getContext({ run }), NotKnown);
    assert.equal(stage.hub.answers.length, 1);
  }));

test("the context is served as long as the run is open", () =>
  onStage({ rows: someRows(3) }, async (stage) => {
    const packager = stage.packager("p1");
    packager.finishes = false;
    await stage.hub.deliver(sessionPayload("S1", { class_mapping_type: "project_colors" }));
    const run = await until("a message", () => stage.published[0]?.key);
    const { context } = await packager.gateway.getContext({ run });
    assert.deepEqual(context?.classes, [
      { title: "Car", value: 0xff0000, schemaIds: ["s1"] },
      { title: "Tree", value: 0x00ff00, schemaIds: ["s2"] },
    ]);
  }));

test("a session delivered twice is one run, and one that has ended gets the same answer again", () =>
  onStage({ rows: someRows(2) }, async (stage) => {
    stage.packager("p1");
    await Promise.all([stage.hub.deliver(sessionPayload("S1")), stage.hub.deliver(sessionPayload("S1"))]);
    const first = await answered(stage);
    await until("everything is erased", () => stage.erasedBlobs.length === 1);
    await stage.hub.deliver(sessionPayload("S1"));
    const second = await until("a second answer", () => stage.hub.answers[1]);
    assert.deepEqual(second, first);
    assert.equal(stage.published.length, 2);
  }));

test("an export of 0 assets completes at once", () =>
  onStage({ rows: [] }, async (stage) => {
    stage.packager("p1");
    await stage.hub.deliver(sessionPayload("S1"));
    assert.ok("export" in (await answered(stage)));
    assert.equal(stage.published.length, 0);
  }));

test("no more assets are in flight than the window, however slow the outcomes are", () =>
  onStage({ rows: someRows(60), credits: { window: 7, maxBytes: 2 ** 20 } }, async (stage) => {
    const packager = stage.packager("p1");
    let inFlight = 0;
    let most = 0;
    stage.onMessage = (message) => {
      most = Math.max(most, ++inFlight);
      setTimeout(() => {
        inFlight -= 1;
        packager.account(message);
      }, 3);
    };
    await stage.hub.deliver(sessionPayload("S1"));
    await answered(stage);
    assert.ok(most > 1 && most <= 7, `${most} were in flight`);
  }));

test("a wrong config is answered with all its problems in one ERROR", () =>
  onStage({ rows: someRows(1) }, async (stage) => {
    await stage.hub.deliver(sessionPayload("S1", { class_mapping_type: "rainbow", verbose: "loud" }));
    assert.deepEqual(await answered(stage), { error: true, session: "S1" });
    const errors = stage.hub.logs.filter(({ level }) => level === "ERROR");
    assert.equal(errors.length, 1);
    assert.match(errors[0]?.message ?? "", /class_mapping_type[\s\S]*verbose/);
  }));

test("a payload that can not be read but names its session is answered with an error; one that names none is dropped", () =>
  onStage({ rows: someRows(1) }, async (stage) => {
    await stage.hub.deliver("nonsense");
    await stage.hub.deliver({ session: "S9", projectId: 7 });
    assert.deepEqual(await answered(stage), { error: true, session: "S9" });
    assert.equal(stage.hub.logs[0]?.level, "ERROR");
    assert.equal(stage.hub.answers.length, 1);
  }));

for (const step of ["project", "fetchExport"] as const) {
  test(`when Hub refuses ${step}, the user is told why and the session ends`, () =>
    onStage({ rows: someRows(1) }, async (stage) => {
      stage.hub.failures[step] = new HubFailure("Hub says no");
      await stage.hub.deliver(sessionPayload("S1"));
      assert.deepEqual(await answered(stage), { error: true, session: "S1" });
      assert.deepEqual(stage.hub.logs.at(-1), { session: "S1", level: "ERROR", message: "Hub says no" });
    }));
}

for (const step of ["project", "fetchExport"] as const) {
  test(`when Hub is away for ${step}, the user is told once, and the session goes on by itself`, () =>
    onStage({ rows: someRows(1) }, async (stage) => {
      stage.packager("p1");
      stage.hub.failures[step] = new Retry("Reading the project failed: Hub answered HTTP 503.");
      await stage.hub.deliver(sessionPayload("S1", { verbose: false }));
      await until("some tries", () => stage.hub.calls[step] > 3);
      assert.deepEqual(
        stage.hub.logs.map(({ level, message }) => `${level} ${message}`),
        ["WARNING Reading the project failed: Hub answered HTTP 503. Trying again; the session goes on by itself as soon as it works."],
      );
      delete stage.hub.failures[step];
      assert.ok("export" in (await answered(stage)));
    }));
}

test("an internal failure does not show its innards to the user", () =>
  onStage({ rows: someRows(1) }, async (stage) => {
    stage.hub.failures.project = new TypeError("undefined is not a function at /srv/secret");
    await stage.hub.deliver(sessionPayload("S1"));
    await answered(stage);
    assert.match(stage.hub.logs.at(-1)?.message ?? "", /failed inside the plugin/);
    assert.doesNotMatch(stage.hub.logs.at(-1)?.message ?? "", /secret/);
  }));

test("a packager that can not make the archive ends the session with its reason", () =>
  onStage({ rows: someRows(2) }, async (stage) => {
    stage.packager("p1").failsWith = "the packager's volume is full";
    await stage.hub.deliver(sessionPayload("S1", { verbose: false }));
    assert.deepEqual(await answered(stage), { error: true, session: "S1" });
    assert.deepEqual(
      stage.hub.logs.map(({ message }) => message),
      ["The archive could not be made: the packager's volume is full"],
    );
  }));

test("with verbose off only warnings and errors are sent", () =>
  onStage({ rows: someRows(4) }, async (stage) => {
    stage.packager("p1").counts = { maskedAssets: 4, masks: 4, skipped: {}, rejected: {}, dropped: {} };
    await stage.hub.deliver(sessionPayload("S1", { verbose: false, verbose_frequency: 1 }));
    await answered(stage);
    assert.deepEqual(stage.hub.logs, []);
  }));

test("sessions above the limit wait and are told so", () =>
  onStage({ rows: someRows(3), maxSessions: 1 }, async (stage) => {
    const packager = stage.packager("p1");
    packager.finishes = false;
    await stage.hub.deliver(sessionPayload("S1"));
    await stage.hub.deliver(sessionPayload("S2"));
    await until("S1 is published", () => stage.published.length === 3);
    assert.match(stage.hub.logs.find(({ session }) => session === "S2")?.message ?? "", /^Waiting: 1 session is running/);
    packager.finishes = true;
    await until("both are answered", () => stage.hub.answers.length === 2);
  }));

test("a user whose session finds no packager is told, and the session goes on when one comes", () =>
  onStage({ rows: someRows(2), timing: { waitNotice: 50 } }, async (stage) => {
    await stage.hub.deliver(sessionPayload("S1"));
    await until("a notice", () => stage.hub.logs.some(({ message }) => message.startsWith("Waiting for a packager")));
    stage.packager("p1");
    assert.ok("export" in (await answered(stage)));
  }));

test("runs are spread over the packagers in Sync", () =>
  onStage({ rows: someRows(2) }, async (stage) => {
    const [one, two] = [stage.packager("p1"), stage.packager("p2")];
    one.finishes = false;
    two.finishes = false;
    await new Promise((resolve) => setTimeout(resolve, 200));
    await stage.hub.deliver(sessionPayload("S1"));
    await until("S1 is published", () => stage.published.length === 2);
    await stage.hub.deliver(sessionPayload("S2"));
    await until("S2 is published", () => stage.published.length === 4);
    assert.equal(one.runs.size, 1);
    assert.equal(two.runs.size, 1);
  }));

test("nothing secret reaches the bus", () =>
  onStage({ rows: someRows(2) }, async (stage) => {
    stage.packager("p1");
    await stage.hub.deliver(sessionPayload("S1"));
    await answered(stage);
    for (const { body } of stage.published) assert.ok(!Buffer.from(body).includes("user-key-12345"));
  }));
