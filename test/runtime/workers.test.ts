import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { describeError, Reject, Retry } from "../../services/runtime/errors.js";
import { createWorkers, needsIsolation } from "../../services/runtime/workers.js";

const module = new URL("./misbehaving-worker.js", import.meta.url);
const never = new AbortController().signal;

describe("workers", () => {
  const workers = createWorkers(module, 2);
  after(() => workers.close());

  const say = async (order: string, options: { isolated?: boolean; signal?: AbortSignal; shared?: Uint8Array } = {}) => {
    const task = { input: Buffer.from(order), ...(options.shared ? { shared: options.shared } : {}) };
    const [output] = await workers.run(task, { isolated: options.isolated ?? false, signal: options.signal ?? never });
    return Buffer.from(output?.body ?? []).toString();
  };

  it("run the module's step in threads of this process", async () => {
    assert.equal(await say("hello"), `hello by ${process.pid}`);
  });

  it("run an isolated task in a process of its own", async () => {
    const said = await say("hello", { isolated: true });
    assert.match(said, /^hello by \d+$/);
    assert.notEqual(said, `hello by ${process.pid}`);
  });

  it("hand shared bytes to both", async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(5));
    shared.set(Buffer.from("world"));
    assert.match(await say("hello", { shared }), /^hello world by/);
    assert.match(await say("hello", { shared, isolated: true }), /^hello world by/);
  });

  for (const isolated of [false, true]) {
    const where = isolated ? "in isolation" : "in a thread";

    it(`give back a rejection as a Reject ${where}`, async () => {
      await assert.rejects(
        say("reject", { isolated }),
        (error) => error instanceof Reject && error.code === "bad_geometry" && error.message === "a reason",
      );
    });

    it(`reject with a plain error when the step throws ${where}`, async () => {
      await assert.rejects(say("throw", { isolated }), /this step throws/);
    });

    it(`survive a worker that exits ${where}`, async () => {
      await assert.rejects(say("exit", { isolated }));
      assert.match(await say("hello", { isolated }), /^hello by/);
    });

    it(`end a worker that hangs when its signal aborts ${where}`, async () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error("too long")), 200);
      await assert.rejects(say("hang", { isolated, signal: controller.signal }));
      assert.match(await say("hello", { isolated }), /^hello by/);
    });
  }

  it("survive a native death in isolation and say what killed it", async () => {
    await assert.rejects(say("die", { isolated: true }), /ended without a result \(SIGKILL\)/);
  });

  it("take one isolated task at a time to a process, and use it again only when it lived", async () => {
    const [one, other] = await Promise.all([say("hello", { isolated: true }), say("hello", { isolated: true })]);
    assert.notEqual(one, other);
    assert.ok([one, other].includes(await say("hello", { isolated: true })));
    await assert.rejects(say("die", { isolated: true }));
    await assert.rejects(say("die", { isolated: true }));
    assert.ok(![one, other].includes(await say("hello", { isolated: true })));
  });

  it("give an isolated process nothing of our environment, where secrets are", async () => {
    process.env.PLUGIN_SECRET = "canary";
    try {
      const environment = JSON.parse(await say("tell environment", { isolated: true }));
      assert.deepEqual(Object.keys(environment).sort(), ["TMPDIR"]);
    } finally {
      delete process.env.PLUGIN_SECRET;
    }
  });
});

describe("a process for an isolated task that can not be started", () => {
  it("says nothing against the message, and takes nobody along", async () => {
    const workers = createWorkers(module, 1);
    const { execPath } = process;
    process.execPath = "/nowhere/node";
    try {
      for (let tries = 0; tries < 2; tries++) {
        await assert.rejects(
          workers.run({ input: Buffer.from("hello") }, { isolated: true, signal: never }),
          (error) => error instanceof Retry && /can not be started: .*ENOENT/.test(describeError(error)),
        );
      }
    } finally {
      process.execPath = execPath;
      await workers.close();
    }
  });
});

describe("a message is worked on in isolation", () => {
  for (const { attempt, round, isolated } of [
    { attempt: 1, round: 0, isolated: false },
    { attempt: 2, round: 0, isolated: false },
    { attempt: 3, round: 0, isolated: true },
    { attempt: 1, round: 1, isolated: false },
    { attempt: 2, round: 1, isolated: true },
    { attempt: 1, round: 2, isolated: true },
  ]) {
    it(`${isolated ? "" : "not "}at delivery ${attempt} of round ${round}`, () => {
      for (const id of [`run/7.${round}/3`, `run/7.${round}/3/p2`]) assert.equal(needsIsolation({ id, attempt }), isolated);
    });
  }
});
