import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { projectRoot } from "../project-root.js";
import { drawTrace } from "./draw-trace.js";
import { type ReceivedSpan, Trace } from "./otlp-receiver.js";

const span = (spanId: string, parentSpanId: string | undefined, name: string, startMs: number, endMs: number): ReceivedSpan => ({
  ...{ traceId: "1", spanId, parentSpanId, name, kind: 1, service: "maskline-filter", startMs, endMs },
  ...{ attributes: { "maskline.role": "filter" }, events: [], links: [], error: undefined },
});

/** Left end and width of each bar, from top to bottom. */
const bars = (svg: string) =>
  Array.from(svg.matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g), ([, x, width]) => [Number(x), Number(width)] as const);

describe("the picture of a trace", () => {
  const svg = drawTrace(
    new Trace([
      span("a", undefined, "all", 1000, 1100),
      span("c", "a", "second <half>", 1050, 1100),
      span("b", "a", "first half", 1000, 1050),
    ]),
    "T & T",
  );

  it("has a line for each span below its parent, in the order in which they began", () => {
    const names = Array.from(svg.matchAll(/<\/?text[^>]*>([^<]+)<\/text>/g), ([, text]) => text).filter((text) =>
      /all|half/.test(text ?? ""),
    );
    assert.deepEqual(names, ["all", "first half", "second &lt;half>"]);
  });

  it("draws each as long as it took, from when it began", () => {
    const [all, first, second] = bars(svg);
    assert.ok(all && first && second);
    assert.ok(Math.abs(first[1] * 2 - all[1]) < 0.5 && Math.abs(second[1] * 2 - all[1]) < 0.5);
    assert.equal(first[0], all[0]);
    assert.ok(Math.abs(second[0] - (all[0] + all[1] / 2)) < 0.5);
  });

  it("in the documentation is of a whole session, with all four services", () => {
    const picture = readFileSync(join(projectRoot, "docs/trace.svg"), "utf8");
    for (const name of ["session", "process filter (asset 0)", "process raster (asset 0)", "spool", "pack run", "answer session"]) {
      assert.ok(picture.includes(`>${name}<`), name);
    }
    assert.ok(readFileSync(join(projectRoot, "docs/telemetry.md"), "utf8").includes("](trace.svg)"));
  });
});
