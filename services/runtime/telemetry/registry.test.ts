import assert from "node:assert/strict";
import { test } from "node:test";
import { createRegistry, type MetricFamily, type Registry } from "./registry.js";

async function only(registry: Registry): Promise<MetricFamily> {
  const [metric, ...others] = registry.metrics();
  assert.deepEqual(others, []);
  assert.ok(metric);
  return metric.collect();
}

const asked = { name: "a.b", unit: "{thing}", help: "Things." };

test("a counter adds up by attributes, bound ones too", async () => {
  const registry = createRegistry();
  const counter = registry.counter({ ...asked, attributes: ["kind"] });
  counter.add(1, { kind: "x" });
  counter.bind({ kind: "x" })(2);
  counter.add(5, { kind: "y" });
  assert.deepEqual((await only(registry)).points, [
    { attributes: { kind: "x" }, value: 3 },
    { attributes: { kind: "y" }, value: 5 },
  ]);
});

test("a counter is shown from the first figure on, be it 0, and not because it was bound", async () => {
  const registry = createRegistry();
  const counter = registry.counter({ ...asked, attributes: ["kind"] });
  const bound = counter.bind({ kind: "x" });
  assert.deepEqual((await only(registry)).points, []);
  counter.add(0, { kind: "y" });
  bound(1);
  assert.deepEqual((await only(registry)).points, [
    { attributes: { kind: "y" }, value: 0 },
    { attributes: { kind: "x" }, value: 1 },
  ]);
});

test("a histogram is not shown because it was bound", async () => {
  const registry = createRegistry();
  const bound = registry.histogram({ ...asked, attributes: [], boundaries: [1] }).bind({});
  assert.deepEqual((await only(registry)).points, []);
  bound(1);
  assert.equal((await only(registry)).points.length, 1);
});

test("values that would run together are different series", async () => {
  const registry = createRegistry();
  const counter = registry.counter({ ...asked, attributes: ["a", "b"] });
  counter.add(1, { a: "x", b: "yz" });
  counter.add(1, { a: "xy", b: "z" });
  assert.equal((await only(registry)).points.length, 2);
});

test("a histogram counts a figure that equals a boundary below it, and what is above all of them", async () => {
  const registry = createRegistry();
  const histogram = registry.histogram({ ...asked, attributes: [], boundaries: [1, 10] });
  for (const value of [0.5, 1, 1.5, 10, 11]) histogram.record(value, {});
  assert.deepEqual((await only(registry)).points, [{ attributes: {}, counts: [2, 2, 1], sum: 24 }]);
});

test("a histogram tells every figure to whoever forwards them, for as long as they listen", () => {
  const registry = createRegistry();
  const histogram = registry.histogram({ ...asked, attributes: ["kind"], boundaries: [1] });
  const heard: unknown[] = [];
  registry.metrics()[0]?.forward((value, attributes) => heard.push([value, attributes]));
  histogram.bind({ kind: "x" })(3);
  registry.metrics()[0]?.forward(undefined);
  histogram.record(4, { kind: "x" });
  assert.deepEqual(heard, [[3, { kind: "x" }]]);
});

test("a gauge adds what its observers see, and leaves out those that fail or have ended", async () => {
  const registry = createRegistry();
  const gauge = registry.gauge({ ...asked, attributes: ["kind"] });
  gauge.observe(() => [[1, { kind: "x" }]]);
  gauge.observe(async () => [[2, { kind: "x" }]]);
  gauge.observe(() => Promise.reject(new Error("away")));
  gauge.observe(() => {
    throw new Error("broken");
  });
  const end = gauge.observe(() => [[100, { kind: "x" }]]);
  end();
  assert.deepEqual((await only(registry)).points, [{ attributes: { kind: "x" }, value: 3 }]);
});

test("an observer that never answers holds up no collection", { timeout: 20_000 }, async () => {
  const registry = createRegistry();
  const gauge = registry.gauge({ ...asked, attributes: [] });
  gauge.observe(() => new Promise(() => undefined));
  gauge.observe(() => [[7, {}]]);
  assert.deepEqual((await only(registry)).points, [{ attributes: {}, value: 7 }]);
});

test("however many values an attribute is given, memory is bounded, and nothing is left uncounted", async () => {
  const registry = createRegistry();
  const counter = registry.counter({ ...asked, attributes: ["id"] });
  for (let id = 0; id < 10_000; id++) counter.add(1, { id: String(id) });
  const { points } = await only(registry);
  assert.ok(points.length <= 501, `${points.length}`);
  assert.equal(
    points.reduce((sum, point) => sum + ("value" in point ? point.value : 0), 0),
    10_000,
  );
});

test("a name is declared once", () => {
  const registry = createRegistry();
  registry.counter({ ...asked, attributes: [] });
  assert.throws(() => registry.gauge({ ...asked, attributes: [] }), /a\.b is declared twice/);
});
