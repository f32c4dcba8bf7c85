import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { AssetExported } from "../../proto/gen/maskline/v1/pipeline.js";
import { HubFailure } from "../../services/gateway/hub.js";
import type { OutgoingMessage } from "../../services/runtime/bus/bus.js";
import { Retry } from "../../services/runtime/errors.js";
import { NotKnown, OutOfDate } from "../../services/runtime/gateway-calls.js";
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

const ROWS = 24;
const answered = (stage: Stage) => until("an answer", () => stage.hub.answers[0]);
const succeeded = async (stage: Stage) => assert.ok("export" in (await answered(stage)));
async function assertInNoFile(folder: string, secret: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (entry.isFile()) assert.ok(!(await readFile(file)).includes(secret), `${secret} in ${file}`);
  }
}
const place = ({ id }: OutgoingMessage) => id.split("/").slice(1).join("/");
const indexOf = ({ body }: OutgoingMessage) => AssetExported.decode(body).envelope?.index ?? -1;

/** Stops the ledgers of all packagers: messages are published, and lost. */
function loseMessages(stage: Stage, lost: (message: OutgoingMessage) => boolean): void {
  stage.onMessage = (message) => {
    if (!lost(message)) for (const packager of stage.packagers) packager.account(message);
  };
}

test("a gateway stopped before the export was read begins the session again and answers it once", () =>
  onStage({ rows: someRows(ROWS) }, async (stage) => {
    stage.hub.failures.project = new Retry("Hub is away");
    await stage.hub.deliver(sessionPayload("S1"));
    await until("a try", () => stage.hub.calls.project > 1);
    await stage.restart();
    stage.packager("p1");
    await succeeded(stage);
    assert.equal(stage.hub.answers.length, 1);
  }));

test("a session that arrives while the gateway stops is accepted, and run after the next start", () =>
  onStage({ rows: someRows(2) }, async (stage) => {
    stage.packager("p1");
    stage.hub.lastPayloads.push(sessionPayload("S1"));
    await stage.restart();
    await succeeded(stage);
  }));

test("a download that was killed is deleted, also when its session then fails before it reads the export", () =>
  onStage({ rows: someRows(1) }, async (stage) => {
    stage.hub.failures.project = new Retry("Hub is away");
    await stage.hub.deliver(sessionPayload("S1"));
    await until("a try", () => stage.hub.calls.project > 0);
    const [run] = await readdir(join(stage.folder, "gateway", "keys"));
    await writeFile(join(stage.folder, "gateway", "exports", `${run}.ndjson.download`), "half of an export");
    stage.hub.failures.project = new HubFailure("the key was revoked");
    assert.deepEqual(await answered(stage), { error: true, session: "S1" });
    await until("it is erased", () => stage.erasedBlobs.length === 1);
    assert.deepEqual(await readdir(join(stage.folder, "gateway", "exports")), []);
  }));

test("blobs that a killed process left behind are deleted at the next start, a day after the youngest", () =>
  onStage({ rows: someRows(1) }, async (stage) => {
    stage.storedBlobs.push({ run: "old", youngestMs: Date.now() - 25 * 3_600_000 }, { run: "young", youngestMs: Date.now() });
    await stage.restart();
    await until("they are swept", () => stage.erasedBlobs.length > 0);
    assert.deepEqual(stage.erasedBlobs, ["old"]);
  }));

for (const stateKey of [undefined, "a long random text"]) {
  test(`the user's key is in no file, and after confirmation nothing can open what held it, ${stateKey ? "with" : "without"} STATE_KEY`, () =>
    onStage({ rows: someRows(2), stateKey }, async (stage) => {
      stage.packager("p1");
      stage.hub.holdAnswers = true;
      await stage.hub.deliver(sessionPayload("S1"));
      await answered(stage);
      const keys = join(stage.folder, "gateway", "keys");
      const [run] = await readdir(keys);
      assert.equal((await stat(join(keys, run ?? ""))).mode & 0o777, 0o600);
      await assertInNoFile(stage.folder, "user-key-12345");
      await stage.restart();
      await until("it is confirmed, and everything erased", () => stage.erasedBlobs.length === 1);
      assert.deepEqual(await readdir(keys), []);
      await assertInNoFile(stage.folder, "user-key-12345");
      await stage.restart();
    }));
}

test("a gateway stopped before there was a packager goes on without reading from Hub again", () =>
  onStage({ rows: someRows(ROWS) }, async (stage) => {
    await stage.hub.deliver(sessionPayload("S1"));
    await until("the export is stored", () => stage.hub.logs.some(({ message }) => message.startsWith("Session accepted")));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await stage.restart();
    stage.packager("p1");
    await succeeded(stage);
    assert.equal(stage.hub.calls.fetchExport, 0);
  }));

test("a gateway stopped while publishing goes on from its position, with the same ids", () =>
  onStage({ rows: someRows(200), credits: { window: 10, maxBytes: 2 ** 20 } }, async (stage) => {
    const packager = stage.packager("p1");
    stage.onMessage = async (message) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      packager.account(message);
    };
    await stage.hub.deliver(sessionPayload("S1"));
    await until("half of it is published", () => stage.published.length > 100);
    await stage.restart();
    await succeeded(stage);
    const places = stage.published.map(place);
    assert.equal(new Set(places).size, 200);
    assert.ok(places.every((id) => id.startsWith("1.0/")));
    assert.ok(places.length < 200 + 100, `${places.length - 200} were published again`);
  }));

test("what was in flight before a restart still counts in the window", () =>
  onStage({ rows: someRows(60), credits: { window: 10, maxBytes: 2 ** 20 }, timing: { stall: 60_000 } }, async (stage) => {
    const packager = stage.packager("p1");
    const withheld: OutgoingMessage[] = [];
    stage.onMessage = (message) => void withheld.push(message);
    await stage.hub.deliver(sessionPayload("S1"));
    await until("the window is full", () => withheld.length === 10);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await stage.restart();
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(withheld.length, 10);
    stage.onMessage = (message) => packager.account(message);
    for (const message of withheld) packager.account(message);
    await succeeded(stage);
  }));

test("on a bus that forgets, a restarted gateway publishes what the packager lacks in a new round", () =>
  onStage({ rows: someRows(ROWS), volatileBus: true, timing: { stall: 60_000 } }, async (stage) => {
    stage.packager("p1");
    loseMessages(stage, (message) => place(message).startsWith("1.0/") && indexOf(message) % 2 === 1);
    await stage.hub.deliver(sessionPayload("S1"));
    await until("some are accounted for", () => (stage.packagers[0]?.runs.values().next().value?.final.size ?? 0) >= 8);
    await stage.restart();
    await succeeded(stage);
    const again = stage.published.map(place).filter((id) => id.startsWith("1.1/"));
    assert.ok(again.length >= 12);
    assert.equal(new Set(again).size, again.length);
  }));

test("a gateway stopped before Hub confirmed the answer sends the same answer after its restart", () =>
  onStage({ rows: someRows(2) }, async (stage) => {
    stage.packager("p1");
    stage.hub.holdAnswers = true;
    await stage.hub.deliver(sessionPayload("S1"));
    const first = await answered(stage);
    await stage.restart();
    assert.deepEqual(await answered(stage), first);
    await until("it is confirmed, and everything erased", () => stage.erasedBlobs.length === 1);
    await stage.restart();
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(stage.hub.answers, []);
  }));

test("a session that comes again after a restart gets its stored result, for as long as results are kept", () => {
  let daysLater = 0;
  const wallClock = () => Date.now() + daysLater * 24 * 3_600_000;
  return onStage({ rows: someRows(2), timing: { wallClock } }, async (stage) => {
    stage.packager("p1");
    await stage.hub.deliver(sessionPayload("S1"));
    const first = await answered(stage);
    await until("it is confirmed, and everything erased", () => stage.erasedBlobs.length === 1);
    const restartedAfter = async (days: number) => {
      daysLater = days;
      await stage.restart();
      await stage.hub.deliver(sessionPayload("S1"));
      return answered(stage);
    };
    assert.deepEqual(await restartedAfter(29), first);
    assert.equal(stage.hub.calls.fetchExport, 0);
    assert.ok("export" in (await restartedAfter(31)));
    assert.equal(stage.hub.calls.fetchExport, 1);
  });
});

test("an answer that Hub does not take is sent again, the same", () =>
  onStage({ rows: someRows(2) }, async (stage) => {
    stage.packager("p1");
    stage.hub.failures.answer = new Retry("Hub is away");
    await stage.hub.deliver(sessionPayload("S1"));
    await until("two tries", () => stage.hub.calls.answer >= 2);
    delete stage.hub.failures.answer;
    await succeeded(stage);
  }));

test("assets that were lost on the way are published again in a round, each once, even when they are told piece by piece", () =>
  onStage({ rows: someRows(60) }, async (stage) => {
    stage.packager("p1");
    loseMessages(stage, (message) => place(message).startsWith("1.0/") && indexOf(message) % 5 === 0);
    await stage.hub.deliver(sessionPayload("S1"));
    await succeeded(stage);
    const again = stage.published.filter((message) => place(message).startsWith("1.1/")).map(indexOf);
    assert.deepEqual(
      again,
      Array.from({ length: 12 }, (_, index) => index * 5),
    );
  }));

test("in a round, too, no more assets are in flight than the window", () =>
  onStage({ rows: someRows(60), credits: { window: 7, maxBytes: 2 ** 20 } }, async (stage) => {
    const packager = stage.packager("p1");
    let inFlight = 0;
    let most = 0;
    stage.onMessage = (message) => {
      if (place(message).startsWith("1.0/")) {
        if (indexOf(message) < 20) packager.account(message);
        return;
      }
      most = Math.max(most, ++inFlight);
      setTimeout(() => {
        inFlight -= 1;
        packager.account(message);
      }, 3);
    };
    await stage.hub.deliver(sessionPayload("S1"));
    await succeeded(stage);
    assert.ok(most > 1 && most <= 7, `${most} were in flight`);
  }));

test("three rounds that bring nothing end the session with an error that says so", () =>
  onStage({ rows: someRows(3) }, async (stage) => {
    stage.packager("p1");
    loseMessages(stage, () => true);
    await stage.hub.deliver(sessionPayload("S1"));
    assert.deepEqual(await answered(stage), { error: true, session: "S1" });
    assert.match(stage.hub.logs.at(-1)?.message ?? "", /3 of 3 assets were published 4 times, and nothing came back/);
    assert.deepEqual([...new Set(stage.published.map((message) => place(message).split("/")[0]))], ["1.0", "1.1", "1.2", "1.3"]);
  }));

test("a round is not fruitless while its packager has not told what it lacks, for nothing is published before", () =>
  onStage({ rows: someRows(3) }, async (stage) => {
    const packager = stage.packager("p1");
    packager.tellsMissing = false;
    loseMessages(stage, (message) => place(message).startsWith("1.0/"));
    await stage.hub.deliver(sessionPayload("S1"));
    await until("it is asked", () => [...packager.runs.values()].some(({ wanted }) => wanted === 1));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    packager.tellsMissing = true;
    await succeeded(stage);
  }));

test("a packager that finds a damaged record is given that asset again, though it had told of all", () =>
  onStage({ rows: someRows(ROWS), timing: { stall: 200 } }, async (stage) => {
    const packager = stage.packager("p1");
    packager.finishes = false;
    await stage.hub.deliver(sessionPayload("S1"));
    const held = await until("all are accounted for", () => [...packager.runs.values()].find(({ final }) => final.size === ROWS));
    await new Promise((resolve) => setTimeout(resolve, 50));
    held.final.delete(7);
    packager.finishes = true;
    await succeeded(stage);
    const again = stage.published.slice(ROWS);
    assert.deepEqual(again.map(place), ["1.1/7"]);
  }));

test("a blob store that is away while the bus is there makes no round fruitless", () =>
  onStage({ rows: someRows(3), timing: { stall: 250 } }, async (stage) => {
    const packager = stage.packager("p1");
    let backAt: number | undefined;
    stage.onMessage = (message) => {
      backAt ??= Date.now() + 1200;
      if (Date.now() < backAt) throw new Retry("the blob store is away");
      packager.account(message);
    };
    await stage.hub.deliver(sessionPayload("S1"));
    await succeeded(stage);
    assert.ok(stage.published.every((message) => place(message).startsWith("1.0/")));
  }));

test("a session that ends because of an outage names it", () =>
  onStage({ rows: someRows(3), timing: { giveUp: 200 } }, async (stage) => {
    stage.packager("p1");
    stage.onMessage = () => {
      throw new Retry("the blob store at http://user:canary@store/x?canary is away");
    };
    await stage.hub.deliver(sessionPayload("S1"));
    assert.deepEqual(await answered(stage), { error: true, session: "S1" });
    assert.match(stage.hub.logs.at(-1)?.message ?? "", /the blob store at http:\/\/store\/x\?\[redacted\] is away$/);
  }));

test("a clock on the wall that is set a week forward ends no session", () => {
  let setForward = 0;
  const wallClock = () => Date.now() + setForward;
  return onStage({ rows: someRows(ROWS), timing: { stall: 60_000, wallClock } }, async (stage) => {
    const packager = stage.packager("p1");
    packager.finishes = false;
    await stage.hub.deliver(sessionPayload("S1"));
    await until("all are accounted for", () => [...packager.runs.values()].some(({ final }) => final.size === ROWS));
    setForward = 7 * 24 * 3_600_000;
    await new Promise((resolve) => setTimeout(resolve, 100));
    packager.finishes = true;
    await succeeded(stage);
    assert.equal(stage.published.length, ROWS);
    assert.match(stage.hub.logs.at(-1)?.message ?? "", /^Done in 168 h/);
  });
});

test("while the bus is away nothing counts as a stall", () =>
  onStage({ rows: someRows(3), timing: { stall: 250 } }, async (stage) => {
    const packager = stage.packager("p1");
    let backAt: number | undefined;
    stage.onMessage = (message) => {
      backAt ??= Date.now() + 1200;
      stage.busReady = Date.now() >= backAt;
      if (!stage.busReady) throw new Retry("the bus is away");
      packager.account(message);
    };
    await stage.hub.deliver(sessionPayload("S1"));
    await succeeded(stage);
    assert.ok(stage.published.every((message) => place(message).startsWith("1.0/")));
  }));

test("a silent packager that comes back when there is no other goes on where it was", () =>
  onStage({ rows: someRows(4), timing: { silence: 100, inSync: 60 } }, async (stage) => {
    const silent = stage.packager("p1");
    silent.finishes = false;
    await stage.hub.deliver(sessionPayload("S1"));
    await until("it is published", () => stage.published.length === 4);
    await silent.stop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const back = stage.packager("p1");
    for (const message of stage.published) back.account(message);
    await succeeded(stage);
    assert.equal(stage.published.length, 4);
  }));

test("a packager that lost its volume gets everything again in a new epoch, and only after it has echoed it", () =>
  onStage({ rows: someRows(ROWS) }, async (stage) => {
    const old = stage.packager("p1", "ledger-1");
    old.finishes = false;
    await stage.hub.deliver(sessionPayload("S1"));
    const run = await until("all are published", () => (stage.published.length >= ROWS ? stage.published[0]?.key : undefined));
    await old.stop();
    stage.packagers.length = 0;
    const fresh = stage.packager("p1", "ledger-2");
    stage.onMessage = (message) => {
      assert.equal(fresh.runs.get(run)?.epoch, 2);
      fresh.account(message);
    };
    await succeeded(stage);
    const epochs = stage.published.slice(ROWS).map(place);
    assert.ok(epochs.every((id) => id.startsWith("2.0/")));
    assert.equal(epochs.length, ROWS);
  }));

test("a new epoch begins with round 0, however many rounds there were", () =>
  onStage({ rows: someRows(4) }, async (stage) => {
    const old = stage.packager("p1", "ledger-1");
    loseMessages(stage, (message) => place(message).startsWith("1."));
    await stage.hub.deliver(sessionPayload("S1"));
    await until("a round has begun", () => stage.published.some((message) => place(message).startsWith("1.1/")));
    await old.stop();
    stage.packagers.length = 0;
    stage.packager("p1", "ledger-2");
    await succeeded(stage);
    const again = stage.published.map(place).filter((id) => !id.startsWith("1."));
    assert.deepEqual(again, ["2.0/0", "2.0/1", "2.0/2", "2.0/3"]);
  }));

test("a packager that falls silent loses its run to another one, and its late report is refused", () =>
  onStage({ rows: someRows(4), timing: { silence: 200, inSync: 100 } }, async (stage) => {
    const silent = stage.packager("p1");
    silent.finishes = false;
    await stage.hub.deliver(sessionPayload("S1"));
    const run = await until("it is published", () => (stage.published.length === 4 ? stage.published[0]?.key : undefined));
    const { target } = await silent.gateway.getUploadTarget({ run, epoch: 1 });
    const late = stage.packager("p2");
    late.finishes = false;
    await silent.stop();
    await until("the other one has it", () => late.runs.get(run)?.final.size === 4);
    const uploaded = { $case: "uploaded" as const, value: { target, bytes: 1, counts: undefined } };
    const failed = { $case: "failed" as const, value: { reason: "its volume is full" } };
    for (const result of [uploaded, failed]) await assert.rejects(late.gateway.report({ run, epoch: 1, result }), OutOfDate);
    await assert.rejects(late.gateway.report({ run, epoch: 2, result: uploaded }), OutOfDate);
    await assert.rejects(late.gateway.getUploadTarget({ run, epoch: 1 }), OutOfDate);
    late.finishes = true;
    await succeeded(stage);
  }));

test("the first decision wins: a later report changes nothing, and a repeated one is no error", () =>
  onStage({ rows: someRows(1) }, async (stage) => {
    const packager = stage.packager("p1");
    packager.finishes = false;
    await stage.hub.deliver(sessionPayload("S1"));
    const run = await until("it is accounted for", () => [...packager.runs].find(([, held]) => held.final.size === 1)?.[0]);
    const { target } = await packager.gateway.getUploadTarget({ run, epoch: 1 });
    const failed = { $case: "failed" as const, value: { reason: "the disk is full" } };
    const uploaded = { $case: "uploaded" as const, value: { target, bytes: 1, counts: undefined } };
    await Promise.all([
      packager.gateway.report({ run, epoch: 1, result: uploaded }),
      packager.gateway.report({ run, epoch: 1, result: failed }),
      packager.gateway.report({ run, epoch: 1, result: uploaded }),
    ]);
    await succeeded(stage);
    await assert.rejects(packager.gateway.report({ run: "unknown", epoch: 1, result: failed }), NotKnown);
    assert.equal(stage.hub.answers.length, 1);
  }));

test("an older upload target of the epoch may still be reported", () =>
  onStage({ rows: someRows(1) }, async (stage) => {
    const packager = stage.packager("p1");
    packager.finishes = false;
    await stage.hub.deliver(sessionPayload("S1"));
    const run = await until("it is accounted for", () => [...packager.runs].find(([, held]) => held.final.size === 1)?.[0]);
    const first = await packager.gateway.getUploadTarget({ run, epoch: 1 });
    await packager.gateway.getUploadTarget({ run, epoch: 1 });
    await packager.gateway.report({
      run,
      epoch: 1,
      result: { $case: "uploaded", value: { target: first.target, bytes: 1, counts: undefined } },
    });
    const answer = await answered(stage);
    assert.ok("export" in answer && answer.response.endsWith("get=1"));
  }));

test("a run without any progress ends with an error in the end, whatever it waits for", () =>
  onStage({ rows: someRows(1), timing: { giveUp: 200 } }, async (stage) => {
    stage.packager("p1").finishes = false;
    await stage.hub.deliver(sessionPayload("S1"));
    assert.deepEqual(await answered(stage), { error: true, session: "S1" });
    assert.match(stage.hub.logs.at(-1)?.message ?? "", /archive was not finished/);
  }));

test("runs that a packager holds and this gateway never had are told as unknown", () =>
  onStage({ rows: someRows(1) }, async (stage) => {
    const packager = stage.packager("p1");
    const runs = [{ run: "stranger", epoch: 1, accounted: 0, bytes: 0, phase: 1, counts: undefined, missing: [] }];
    const reply = await packager.gateway.sync({ packager: "p1", ledgerId: "p1-ledger", runs });
    assert.deepEqual(
      reply.runs.map(({ run, state }) => ({ run, state })),
      [{ run: "stranger", state: 3 }],
    );
  }));

test("stored state is encrypted under STATE_KEY, and opened again after a restart", () =>
  onStage({ rows: someRows(1), stateKey: "a long random text" }, async (stage) => {
    await stage.hub.deliver(sessionPayload("S1"));
    await stage.restart();
    stage.packager("p1");
    await succeeded(stage);
  }));

test("two gateways never share a volume", () =>
  onStage({ rows: [] }, async (stage) => {
    await assert.rejects(stage.another(), { name: "Fatal", message: /is held by process/ });
  }));
