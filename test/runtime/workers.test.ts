import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { Reject } from "../../services/runtime/errors.js";
import { createWorkers } from "../../services/runtime/workers.js";

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
});
