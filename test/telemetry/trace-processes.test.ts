/** The trace of a session whose roles are processes of their own, on each broker that is there; and what those processes show and log. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BROKER_NAMES, findBroker } from "../bench/broker.js";
import { parsePrometheusText } from "./prometheus-text.js";
import { traceBehaviours } from "./trace-behaviours.js";
import { CANARIES, FEW, MANY, REJECTED, type TracedSessions, tracedInProcesses, traceIdOf } from "./traced-sessions.js";

for (const name of BROKER_NAMES) {
  const broker = findBroker(name);
  const skip = "skip" in broker ? broker.skip : false;
  let sessions: TracedSessions | undefined;

  traceBehaviours(`${name}, each role a process of its own`, {
    system: name,
    serviceOf: (role) => `maskline-${role}`,
    skip,
    async run() {
      if ("skip" in broker) throw new Error(broker.skip);
      const running = await broker.start();
      try {
        sessions = await tracedInProcesses(running.env);
        return sessions;
      } finally {
        await running.close();
      }
    },
  });

  describe(`processes on ${name}`, { skip }, () => {
    const seen = () => sessions ?? assert.fail("the sessions did not end");
    const value = (process: string, metric: string, labels: Readonly<Record<string, string>> = {}) =>
      parsePrometheusText(seen().shown.get(process) ?? "")
        .filter((one) => one.name === metric && Object.entries(labels).every(([key, wanted]) => one.labels[key] === wanted))
        .reduce<number | undefined>((sum, one) => (sum ?? 0) + one.value, undefined);

    it("each show at /metrics what they did", () => {
      for (const process of seen().shown.keys()) {
        assert.ok(Number(value(process, "process_memory_usage_bytes")) > 1e7, process);
        assert.notEqual(value(process, "nodejs_eventloop_delay_p99_seconds"), undefined, process);
        assert.notEqual(value(process, "maskline_queue_lag"), undefined, process);
        const messages = ["sent", "consumed"].map((done) => value(process, `messaging_client_${done}_messages_total`) ?? 0);
        assert.ok(Math.max(...messages) > 0, process);
      }
      assert.equal(value("gateway", "maskline_sessions_ended_total", { maskline_outcome: "exported" }), 2);
      assert.equal(value("packager", "maskline_assets_total"), FEW + MANY);
      assert.equal(value("packager", "maskline_assets_total", { maskline_outcome: "rejected", maskline_reason: "over_limit" }), 2);
      const painted = (process: string) => value(process, "maskline_stage_duration_seconds_count", { maskline_stage: "paint" }) ?? 0;
      assert.equal(painted("rasterizer-1") + painted("rasterizer-2"), value("packager", "maskline_masks_total"));
    });

    it("name session, run and trace in every line of their logs about a session", () => {
      const told = new Set([seen().few, seen().many].map(traceIdOf));
      const ids = new Set([seen().few.session, seen().many.session]);
      for (const [process, lines] of seen().logs) {
        for (const line of lines.filter(({ run }) => run !== undefined)) {
          assert.ok(told.has(String(line.trace_id)), `${process}: ${JSON.stringify(line)}`);
          assert.ok(ids.has(String(line.session)), `${process}: ${JSON.stringify(line)}`);
        }
      }
      const rejected =
        seen()
          .logs.get("packager")
          ?.filter(({ msg }) => msg === "an asset is rejected") ?? [];
      assert.deepEqual(
        rejected.map(({ asset, code, service }) => [asset, code, service]),
        [0, 1].map(() => [REJECTED, "over_limit", "packager"]),
      );
      for (const process of ["gateway", "packager"])
        assert.ok(
          seen()
            .logs.get(process)
            ?.some(({ trace_id }) => told.has(String(trace_id))),
        );
    });

    it("tell no secret in their logs", () => {
      const everything = [...seen().logs.values()].flat().map((line) => JSON.stringify(line));
      for (const canary of CANARIES) assert.ok(!everything.some((line) => line.includes(canary)), canary);
    });
  });
}
