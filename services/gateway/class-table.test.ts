import assert from "node:assert/strict";
import { test } from "node:test";
import { ColourMode } from "../../proto/gen/maskline/v1/pipeline.js";
import { buildClassTable } from "./class-table.js";
import { DIVERGING_GRAYS, QUALITATIVE_10, QUALITATIVE_60, QUALITATIVE_948 } from "./palettes.js";
import type { OntologyTool } from "./project.js";

function polygons(count: number): OntologyTool[] {
  return Array.from({ length: count }, (_, k) => ({ schemaId: `s${k}`, title: `class ${k}`, tool: "polygon", color: undefined }));
}

function coloured(...colours: (string | undefined)[]): OntologyTool[] {
  return colours.map((color, k) => ({ schemaId: `s${k}`, title: `class ${k}`, tool: "polygon", color }));
}

function tableOf(tools: readonly OntologyTool[], mapping: string) {
  const table = buildClassTable(tools, mapping);
  assert.ok("classes" in table, JSON.stringify(table));
  return table;
}

function problemOf(tools: readonly OntologyTool[], mapping: string): string {
  const table = buildClassTable(tools, mapping);
  assert.ok("problem" in table, "expected a problem");
  return table.problem;
}

test("the palettes have the documented values", () => {
  assert.deepEqual(DIVERGING_GRAYS.slice(0, 8), [255, 128, 192, 64, 96, 32, 160, 224]);
  assert.deepEqual(
    [...DIVERGING_GRAYS].sort((a, b) => a - b),
    Array.from({ length: 255 }, (_, k) => k + 1),
  );
  assert.deepEqual([QUALITATIVE_10.length, QUALITATIVE_60.length, QUALITATIVE_948.length], [10, 60, 948]);
  assert.deepEqual(QUALITATIVE_10.slice(0, 2), [0x1f77b4, 0xff7f0e]);
  assert.deepEqual(QUALITATIVE_60.slice(0, 3), [0x1f77b4, 0xaec7e8, 0xff7f0e]);
  assert.deepEqual([QUALITATIVE_948[0], QUALITATIVE_948.at(-1)], [0xacc2d9, 0x7e1e9c]);
  for (const colours of [QUALITATIVE_10, QUALITATIVE_60, QUALITATIVE_948]) {
    assert.equal(new Set(colours).size, colours.length);
    assert.ok(colours.every((colour) => colour > 0 && colour <= 0xffffff));
  }
});

test("polygons and segmentations are numbered once, in ontology order, and other tools are left out", () => {
  const tools = ["segmentation", "bounding-box", "polygon", "brush", "segmentation"].map((tool, k) => ({
    schemaId: `s${k}`,
    title: `t${k}`,
    tool,
    color: undefined,
  }));
  assert.deepEqual(tableOf(tools, "single_channel_sequential"), {
    mode: ColourMode.GRAY,
    classes: [
      { title: "t0", value: 1, schemaIds: ["s0"] },
      { title: "t2", value: 2, schemaIds: ["s2"] },
      { title: "t4", value: 3, schemaIds: ["s4"] },
    ],
    warnings: [],
  });
});

test("equal titles are one class with the place and colour of the first", () => {
  const tools = [
    { schemaId: "a", title: "Car", tool: "polygon", color: "#010203" },
    { schemaId: "b", title: "Road", tool: "polygon", color: "#040506" },
    { schemaId: "c", title: "Car", tool: "segmentation", color: "nonsense" },
    { schemaId: "", title: "Car", tool: "segmentation", color: undefined },
  ];
  assert.deepEqual(tableOf(tools, "project_colors").classes, [
    { title: "Car", value: 0x010203, schemaIds: ["a", "c"] },
    { title: "Road", value: 0x040506, schemaIds: ["b"] },
  ]);
});

test("the diverging mapping gives 255, 128, 192, 64, ...", () => {
  const { mode, classes } = tableOf(polygons(255), "single_channel_diverging");
  assert.equal(mode, ColourMode.GRAY);
  assert.deepEqual(
    classes.map(({ value }) => value),
    DIVERGING_GRAYS,
  );
});

test("an 11th and a 61st class recolour all others", () => {
  for (const [count, palette] of [
    [1, QUALITATIVE_10],
    [10, QUALITATIVE_10],
    [11, QUALITATIVE_60],
    [60, QUALITATIVE_60],
    [61, QUALITATIVE_948],
    [948, QUALITATIVE_948],
  ] as const) {
    const { mode, classes } = tableOf(polygons(count), "multi_channel_qualitative");
    assert.equal(mode, ColourMode.RGB);
    assert.deepEqual(
      classes.map(({ value }) => value),
      palette.slice(0, count),
    );
  }
});

test("one class too many names the mappings that fit", () => {
  const fittingOf = (count: number, mapping: string) => problemOf(polygons(count), mapping).split("Allowed for so many: ")[1];
  assert.equal(fittingOf(256, "single_channel_sequential"), "multi_channel_qualitative, project_colors.");
  assert.equal(fittingOf(256, "single_channel_diverging"), "multi_channel_qualitative, project_colors.");
  assert.equal(fittingOf(949, "multi_channel_qualitative"), "project_colors.");
  assert.match(problemOf(polygons(256), "single_channel_sequential"), /can tell 255 classes apart, and the project has 256/);
  assert.equal(tableOf(polygons(255), "single_channel_sequential").classes.at(-1)?.value, 255);
});

test("project colours are read with or without #, in capitals, and short", () => {
  assert.deepEqual(
    tableOf(coloured("#1f77b4", "FF7F0E", "#abc", " #00ff00 "), "project_colors").classes.map(({ value }) => value),
    [0x1f77b4, 0xff7f0e, 0xaabbcc, 0x00ff00],
  );
});

test("all classes without a colour are named in one problem", () => {
  const problem = problemOf(coloured("#1f77b4", undefined, "red", "abc", "#12345678", ""), "project_colors");
  for (const part of ['"class 1" (none)', '"class 2" ("red")', '"class 3" ("abc")', '"class 4"', '"class 5" ("")']) {
    assert.ok(problem.includes(part), `${part} in ${problem}`);
  }
  assert.ok(!problem.includes('"class 0"'));
});

test("colours that can not be told apart are warnings", () => {
  const { classes, warnings } = tableOf(coloured("#112233", "#000000", "#112233"), "project_colors");
  assert.equal(classes.length, 3);
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] ?? "", /"class 0", "class 2" have the same colour, #112233/);
  assert.match(warnings[1] ?? "", /"class 1": the colour #000000 is also the background's/);
});

test("without a painted class the masks are background, with a warning", () => {
  for (const mapping of ["single_channel_sequential", "single_channel_diverging", "multi_channel_qualitative", "project_colors"]) {
    const { classes, warnings } = tableOf([{ schemaId: "a", title: "Box", tool: "bounding-box", color: undefined }], mapping);
    assert.deepEqual(classes, []);
    assert.match(warnings[0] ?? "", /no polygon and no segmentation class/);
  }
});

test("a mapping that does not exist is a problem", () => {
  assert.match(problemOf(polygons(1), "toString"), /class_mapping_type is "toString"; allowed: single_channel_sequential, /);
});
