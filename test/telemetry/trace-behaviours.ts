/** What a session's trace must be, on whichever bus: run by a test that says how to open one. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Bus } from "../../services/runtime/bus/bus.js";
import { observedBus } from "../../services/runtime/telemetry/observed-bus.js";
import { withTelemetry } from "../../services/runtime/telemetry/start.js";
import { type Finished, startPipeline } from "../pipeline/pipeline.js";
import { polygon, row, square } from "../pipeline/rows.js";
import { type OtlpReceiver, startOtlpReceiver, Trace } from "./otlp-receiver.js";

export interface BusUnderTrace {
  /** `messaging.system` of its spans. */
  readonly system: string;
  /** The bus that the services share, given the memory bus that they would have; whoever opens it closes it. */
  readonly open: (memory: Bus) => Bus;
}

const FEW = 6;
const MANY = 400;
const BUDGET = 10;
const REJECTED = 4;

/** The export of a project; one asset is too large to be painted. */
const rows = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    row({
      id: `task-${index}`,
      tools: [polygon("Road", "road", square(index % 9, 1, 4))],
      ...(index === REJECTED ? { size: [100_000, 100_000] as const } : {}),
      ...(index === 5 ? { standing: "untouched" as const } : {}),
    }),
  );

/** Clocks of several threads, in whole milliseconds. */
const CLOCKS_MS = 3;

export function traceBehaviours(name: string, { system, open }: BusUnderTrace): void {
  describe(`the trace of a session on ${name}`, { timeout: 120_000 }, () => {
    let receiver: OtlpReceiver;
    let untraced: Finished;
    let few: Finished;
    let many: Finished;

    const session = async (count: number) => {
      const pipeline = await startPipeline({
        rows: rows(count),
        env: { TRACED_ASSETS: String(BUDGET), IMAGE_PIXEL_LIMIT: "1000000" },
        wrapBus: (memory) => observedBus(open(memory), { system }),
      });
      try {
        return await pipeline.run();
      } finally {
        await pipeline.close();
      }
    };
    before(async () => {
      receiver = await startOtlpReceiver();
      untraced = await session(FEW);
      Object.assign(process.env, receiver.env);
      try {
        await withTelemetry({ role: "all", version: "0.0.0" }, process.env, async () => {
          few = await session(FEW);
          many = await session(MANY);
        });
      } finally {
        for (const key of Object.keys(receiver.env)) delete process.env[key];
      }
    });
    after(() => receiver.close());

    /** Of the session: its user is told which trace it is. */
    const traceOf = ({ lines }: Finished): Trace => {
      const [, traceId] = /^INFO .* \(trace ([\da-f]{32})\)$/.exec(lines[0] ?? "") ?? [];
      assert.ok(traceId, lines[0]);
      return new Trace(receiver.spans.filter((span) => span.traceId === traceId));
    };

    it("is one trace from Hub's session to its answer, with every parent in it", () => {
      for (const finished of [few, many]) {
        const trace = traceOf(finished);
        assert.deepEqual(
          trace.roots().map((span) => span.name),
          ["session"],
        );
        assert.deepEqual(trace.orphans(), []);
      }
      assert.equal(new Set(receiver.spans.map(({ traceId }) => traceId)).size, 2);
    });

    it("leads from service to service as the asset goes, and back to the gateway", () => {
      const edges = traceOf(few).edges();
      for (const edge of [
        "gateway: publish filter -> filter: process filter",
        "filter: publish raster -> rasterizer: process raster",
        "filter: publish out.{packager} -> packager: process out.{packager}",
        "rasterizer: publish out.{packager} -> packager: process out.{packager}",
        "filter: maskline.v1.GatewayService/GetContext -> gateway: maskline.v1.GatewayService/GetContext",
        "packager: maskline.v1.GatewayService/GetUploadTarget -> gateway: maskline.v1.GatewayService/GetUploadTarget",
        "packager: maskline.v1.GatewayService/Report -> gateway: maskline.v1.GatewayService/Report",
      ]) {
        assert.ok(edges.has(edge), `${edge} is not among:\n${[...edges].join("\n")}`);
      }
    });

    it("has every stage of the session", () => {
      const trace = traceOf(few);
      for (const stage of [
        ...["accept session", "prepare run", "check config", "read project", "download export", "freeze export"],
        ...[
          "publish round",
          "paint",
          "encode",
          "spool",
          "pack run",
          "write archive",
          "get upload target",
          "upload archive",
          "answer session",
        ],
      ]) {
        assert.ok(trace.named(stage).length > 0, stage);
      }
      assert.equal(trace.named("process filter").length, FEW);
      const inside = (name: string) => trace.named(name).map((span) => trace.parentOf(span)?.name);
      assert.deepEqual(inside("download export"), ["prepare run"]);
      assert.deepEqual(inside("get upload target"), ["maskline.v1.GatewayService/GetUploadTarget"]);
      assert.deepEqual(new Set(inside("paint")), new Set(["process raster"]));
    });

    it("begins nothing before what it is part of", () => {
      for (const trace of [traceOf(few), traceOf(many)]) {
        for (const span of trace.spans) {
          const parent = trace.parentOf(span);
          assert.ok(!parent || span.startMs >= parent.startMs - CLOCKS_MS, `${span.name} begins before ${parent?.name}`);
          assert.ok(span.endMs >= span.startMs, span.name);
        }
      }
    });

    it("describes messages as OpenTelemetry's conventions have it", () => {
      const trace = traceOf(few);
      const messages = trace.spans.filter(({ kind }) => kind === 4 || kind === 5);
      assert.ok(messages.length >= 4 * (FEW - 2));
      for (const { name: title, kind, attributes, links } of messages) {
        const [operation, type] = kind === 4 ? ["publish", "send"] : ["process", "process"];
        assert.equal(attributes["messaging.system"], system);
        assert.equal(attributes["messaging.operation.name"], operation);
        assert.equal(attributes["messaging.operation.type"], type);
        assert.equal(title, `${operation} ${attributes["messaging.destination.template"]}`);
        assert.equal(attributes["messaging.message.conversation_id"], few.handle.session);
        assert.match(String(attributes["messaging.message.id"]), /^[\dA-Z]{26}\/1\.0\/\d+/);
        assert.equal(links.length, kind === 5 ? 1 : 0);
      }
      assert.deepEqual(
        new Set(messages.map(({ attributes }) => attributes["messaging.destination.name"])),
        new Set(["filter", "raster", "out.p1"]),
      );
    });

    it("says why an asset was rejected", () => {
      for (const finished of [few, many]) {
        const trace = traceOf(finished);
        const [rejected, ...others] = trace.named("reject asset");
        assert.equal(rejected?.attributes["maskline.asset.index"], REJECTED);
        assert.equal(rejected?.attributes["error.type"], "over_limit");
        assert.match(rejected?.error ?? "", /pixels/);
        assert.deepEqual(others, []);
      }
    });

    it("stays small: of a large session about the budget of assets leaves spans, and the slowest are named", () => {
      const trace = traceOf(many);
      const kept = new Set(trace.named("process filter").map(({ attributes }) => attributes["maskline.asset.index"]));
      assert.ok(kept.size > 0 && kept.size < 3 * BUDGET, `${kept.size} of ${MANY} assets are traced`);
      assert.ok(trace.spans.length < 30 * BUDGET, `${trace.spans.length} spans`);
      const [packed] = trace.named("pack run");
      assert.equal(Number(packed?.attributes["maskline.assets"]), MANY);
      assert.equal(Number(packed?.attributes["maskline.assets.rejected"]), 1);
      const slow = packed?.events.filter((event) => event.name === "slow asset") ?? [];
      assert.equal(slow.length, 5);
      for (const { attributes } of slow) assert.ok(Number(attributes["maskline.raster.ms"]) > 0);
    });

    it("changes no byte of the archive", () => {
      assert.ok(untraced.bytes);
      assert.ok(few.bytes?.equals(untraced.bytes));
      assert.doesNotMatch(untraced.lines.join("\n"), /trace/);
    });

    it("holds no key, secret or signature", () => {
      const everything = receiver.bodies.join("\n");
      assert.match(everything, /maskline\.assets/);
      for (const canary of ["api-key-canary", "plugin-secret-canary", "X-Amz-", "Signature", "Bearer"]) {
        assert.ok(!everything.includes(canary), canary);
      }
    });
  });
}
