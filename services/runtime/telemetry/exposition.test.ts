import assert from "node:assert/strict";
import { test } from "node:test";
import { exposition, prometheusName } from "./exposition.js";

const head = { name: "maskline.things", unit: "{thing}", help: "Things." };

test("names follow Prometheus' conventions for units and kinds", () => {
  const name = (unit: string, kind: Parameters<typeof prometheusName>[0]["kind"]) => prometheusName({ name: "a.b_c", unit, kind });
  assert.equal(name("{asset}", "counter"), "a_b_c_total");
  assert.equal(name("By", "counter"), "a_b_c_bytes_total");
  assert.equal(name("s", "histogram"), "a_b_c_seconds");
  assert.equal(name("1", "gauge"), "a_b_c_ratio");
  assert.equal(name("{message}", "upDownCounter"), "a_b_c");
});

test("a counter is a line for each series under its head; an attribute without a value is no label", () => {
  const points = [
    { attributes: { "error.type": "" }, value: 3 },
    { attributes: { "error.type": "Retry" }, value: 0.5 },
  ];
  assert.equal(
    exposition([{ ...head, kind: "counter", points }]),
    [
      "# HELP maskline_things_total Things.",
      "# TYPE maskline_things_total counter",
      "maskline_things_total 3",
      'maskline_things_total{error_type="Retry"} 0.5',
      "",
    ].join("\n"),
  );
});

test("a histogram sums its buckets up", () => {
  const points = [{ attributes: { stage: "paint" }, counts: [2, 0, 1], sum: 12.5 }];
  const text = exposition([{ ...head, unit: "s", kind: "histogram", boundaries: [0.1, 1], points }]);
  assert.deepEqual(text.split("\n").slice(2), [
    'maskline_things_seconds_bucket{stage="paint",le="0.1"} 2',
    'maskline_things_seconds_bucket{stage="paint",le="1"} 2',
    'maskline_things_seconds_bucket{stage="paint",le="+Inf"} 3',
    'maskline_things_seconds_sum{stage="paint"} 12.5',
    'maskline_things_seconds_count{stage="paint"} 3',
    "",
  ]);
});

test("whatever a value holds, it stays in its quotes and on its line", () => {
  const text = exposition([{ ...head, kind: "gauge", points: [{ attributes: { a: 'x"}\n\\' }, value: 1 }] }]);
  assert.equal(text.split("\n")[2], 'maskline_things{a="x\\"}\\n\\\\"} 1');
});

test("a metric without figures is left out", () => {
  assert.equal(exposition([{ ...head, kind: "counter", points: [] }]), "");
});
