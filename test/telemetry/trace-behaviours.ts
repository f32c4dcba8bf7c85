/** What a session's trace must be, on whichever bus and in however many processes: run by a test that says how its sessions are had. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { Trace } from "./otlp-receiver.js";
import { BUDGET, CANARIES, FEW, MANY, REJECTED, type SeenSession, type TracedSessions, traceIdOf } from "./traced-sessions.js";

export interface TracedWay {
  /** `messaging.system` of its spans. */
  readonly system: string;
  /** What the processes are called, by role. */
  readonly serviceOf: (role: string) => string;
  /** Why it can not be tried here; false: it can. */
  readonly skip?: string | false;
  /** Runs the sessions, and ends everything that it started. */
  readonly run: () => Promise<TracedSessions>;
}

const ROLES = ["gateway", "filter", "rasterizer", "packager"];

/** Clocks of several threads and processes, in whole milliseconds. */
const CLOCKS_MS = 3;

export function traceBehaviours(name: string, { system, serviceOf, skip = false, run }: TracedWay): void {
  describe(`the trace of a session on ${name}`, { timeout: 180_000, skip }, () => {
    let sessions: TracedSessions;
    before(async () => {
      sessions = await run();
    });

    const traceOf = (session: SeenSession) => new Trace(sessions.spans.filter((span) => span.traceId === traceIdOf(session)));
    const traces = () => [traceOf(sessions.few), traceOf(sessions.many)] as const;

    it("is one trace from Hub's session to its answer, with every parent in it", () => {
      for (const trace of traces()) {
        assert.deepEqual(
          trace.roots().map((span) => span.name),
          ["session"],
        );
        assert.deepEqual(
          trace.orphans().map((span) => span.name),
          [],
        );
      }
      assert.equal(new Set(sessions.spans.map(({ traceId }) => traceId)).size, 2);
    });

    it("leads from service to service as the asset goes, and back to the gateway", () => {
      const edges = traceOf(sessions.few).edges();
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

    it("names for each span the role that it is of, and the process that sent it", () => {
      for (const trace of traces()) {
        assert.deepEqual(new Set(trace.spans.map(({ attributes }) => attributes["maskline.role"])), new Set(ROLES));
        for (const { name: title, service, attributes } of trace.spans) {
          assert.equal(service, serviceOf(String(attributes["maskline.role"])), title);
        }
      }
    });

    it("has every stage of the session", () => {
      const trace = traceOf(sessions.few);
      for (const stage of [
        ...["accept session", "prepare run", "check config", "read project", "download export", "freeze export", "publish round"],
        ...["paint", "encode", "spool", "pack run", "write archive", "get upload target", "upload archive", "answer session"],
      ]) {
        assert.ok(trace.named(stage).length > 0, stage);
      }
      assert.equal(trace.named("process filter").length, FEW);
      const inside = (title: string) => trace.named(title).map((span) => trace.parentOf(span)?.name);
      assert.deepEqual(inside("download export"), ["prepare run"]);
      assert.deepEqual(inside("get upload target"), ["maskline.v1.GatewayService/GetUploadTarget"]);
      assert.deepEqual(new Set(inside("paint")), new Set(["process raster"]));
    });

    it("begins nothing before what it is part of", () => {
      for (const trace of traces()) {
        for (const span of trace.spans) {
          const parent = trace.parentOf(span);
          assert.ok(!parent || span.startMs >= parent.startMs - CLOCKS_MS, `${span.name} begins before ${parent?.name}`);
          assert.ok(span.endMs >= span.startMs, span.name);
        }
      }
    });

    it("describes messages as OpenTelemetry's conventions have it", () => {
      const trace = traceOf(sessions.few);
      const messages = trace.spans.filter(({ kind }) => kind === 4 || kind === 5);
      assert.ok(messages.length >= 4 * (FEW - 2));
      for (const { name: title, kind, attributes, links } of messages) {
        const [operation, type] = kind === 4 ? ["publish", "send"] : ["process", "process"];
        assert.equal(attributes["messaging.system"], system);
        assert.equal(attributes["messaging.operation.name"], operation);
        assert.equal(attributes["messaging.operation.type"], type);
        assert.equal(title, `${operation} ${attributes["messaging.destination.template"]}`);
        assert.equal(attributes["messaging.message.conversation_id"], sessions.few.session);
        assert.match(String(attributes["messaging.message.id"]), /^[\dA-Z]{26}\/1\.0\/\d+/);
        assert.equal(links.length, kind === 5 ? 1 : 0);
      }
      assert.deepEqual(
        new Set(messages.map(({ attributes }) => attributes["messaging.destination.name"])),
        new Set(["filter", "raster", "out.p1"]),
      );
    });

    it("says why an asset was rejected", () => {
      for (const trace of traces()) {
        const [rejected, ...others] = trace.named("reject asset");
        assert.equal(rejected?.attributes["maskline.asset.index"], REJECTED);
        assert.equal(rejected?.attributes["error.type"], "over_limit");
        assert.match(rejected?.error ?? "", /pixels/);
        assert.deepEqual(others, []);
      }
    });

    it("stays small: of a large session about the budget of assets leaves spans, and the session's own names the slowest", () => {
      const trace = traceOf(sessions.many);
      const kept = new Set(trace.named("process filter").map(({ attributes }) => attributes["maskline.asset.index"]));
      assert.ok(kept.size > 0 && kept.size < 3 * BUDGET, `${kept.size} of ${MANY} assets are traced`);
      assert.ok(trace.spans.length < 30 * BUDGET, `${trace.spans.length} spans`);
      const [root] = trace.named("session");
      assert.equal(Number(root?.attributes["maskline.assets"]), MANY);
      assert.equal(Number(root?.attributes["maskline.assets.rejected"]), 1);
      const slow = root?.events.filter((event) => event.name === "slow asset") ?? [];
      assert.equal(slow.length, 5);
      for (const { attributes } of slow) assert.ok(Number(attributes["maskline.filter.ms"]) > 0);
    });

    it("changes no byte of the archive", () => {
      assert.ok(sessions.few.archive.equals(sessions.untraced.archive));
      assert.doesNotMatch(sessions.untraced.lines.join("\n"), /trace/);
    });

    it("holds no key, secret or signature, nor do the metrics", () => {
      const everything = [...sessions.sent, ...sessions.shown.values()].join("\n");
      assert.match(everything, /maskline\.assets/);
      for (const canary of CANARIES) assert.ok(!everything.includes(canary), canary);
    });
  });
}
