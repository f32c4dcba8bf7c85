import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ColourMode } from "../../proto/gen/maskline/v1/pipeline.js";
import type { RunContext } from "../../proto/gen/maskline/v1/run.js";
import { Retry } from "../runtime/errors.js";
import { NotKnown } from "../runtime/gateway-calls.js";
import { createContextCache } from "./context-cache.js";

const contextOf = (run: string): RunContext => ({
  run,
  session: "",
  projectId: "",
  archiveName: "",
  settings: undefined,
  mode: ColourMode.GRAY,
  classes: [],
  stages: [],
});

type Answer = "knows" | "not known" | "away";

function setUp(...answers: Answer[]) {
  const calls: string[] = [];
  const warnings: string[] = [];
  const clock = { ms: 0 };
  const ignore = () => undefined;
  const log = {
    debug: ignore,
    info: ignore,
    error: ignore,
    warn: (_: object, message: string) => warnings.push(message),
    child: () => log,
  };
  const gateways = answers.map((_, at) => ({
    address: `g${at}`,
    async getContext({ run }: { run: string }) {
      calls.push(`g${at} ${run}`);
      if (answers[at] === "away") throw new Retry("away");
      if (answers[at] === "not known") throw new NotKnown("no such run");
      return { context: contextOf(run) };
    },
  }));
  const pack = ({ run }: RunContext) => Buffer.from(run);
  const cache = createContextCache({ gateways, pack, unknownRunMs: 60_000, log, now: () => clock.ms });
  return { cache, calls, warnings, clock, answers };
}

describe("the context cache", () => {
  it("takes the context from whichever gateway knows the run", async () => {
    const { cache } = setUp("not known", "away", "knows");
    assert.equal(String(await cache.get("R1")), "R1");
  });

  it("asks once a run, however many ask at once and later", async () => {
    const { cache, calls } = setUp("knows");
    await Promise.all([cache.get("R1"), cache.get("R1"), cache.get("R2")]);
    await cache.get("R1");
    assert.deepEqual(calls, ["g0 R1", "g0 R2"]);
  });

  it("forgets the run that was not used for longest", async () => {
    const { cache, calls } = setUp("knows");
    for (let run = 0; run < 64; run += 1) await cache.get(`R${run}`);
    await cache.get("R0");
    await cache.get("R64");
    calls.length = 0;
    await cache.get("R0");
    await cache.get("R1");
    assert.deepEqual(calls, ["g0 R1"]);
  });

  it("waits for a gateway that is away, for as long as it takes", async () => {
    const { cache, clock, answers } = setUp("not known", "away");
    await assert.rejects(cache.get("R1"), Retry);
    clock.ms = 3_600_000;
    await assert.rejects(cache.get("R1"), Retry);
    answers[1] = "knows";
    assert.equal(String(await cache.get("R1")), "R1");
  });

  it("gives a run up that no gateway has known for the given time, with one warning", async () => {
    const { cache, clock, warnings } = setUp("not known", "not known");
    await assert.rejects(cache.get("R1"), Retry);
    clock.ms = 59_999;
    await assert.rejects(cache.get("R1"), Retry);
    clock.ms = 60_000;
    assert.equal(await cache.get("R1"), undefined);
    assert.equal(await cache.get("R1"), undefined);
    assert.equal(warnings.length, 1);
  });

  it("counts that time anew when a gateway was away meanwhile", async () => {
    const { cache, clock, answers } = setUp("not known");
    await assert.rejects(cache.get("R1"), Retry);
    answers[0] = "away";
    clock.ms = 30_000;
    await assert.rejects(cache.get("R1"), Retry);
    answers[0] = "not known";
    clock.ms = 70_000;
    await assert.rejects(cache.get("R1"), Retry);
  });
});
