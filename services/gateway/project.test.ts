import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProject } from "./project.js";

const schema = { tools: [{ schemaId: "s1", title: "Car", tool: "polygon", color: "#1f77b4" }] };
const body = {
  _id: "p1",
  name: "Streets",
  categorySchema: schema,
  stages: [{ id: "st1", name: "Review it", type: "Review", next: ["x"] }],
  batches: [{ _id: "b1", name: "north" }],
};

test("the answer of the project call, and what users save of it, are the same project", () => {
  const expected = {
    id: "p1",
    name: "Streets",
    tools: [{ schemaId: "s1", title: "Car", tool: "polygon", color: "#1f77b4" }],
    stages: [{ id: "st1", name: "Review it", type: "Review" }],
    batches: [{ id: "b1", name: "north" }],
  };
  for (const reply of [{ status: "success", data: { project: body } }, { data: body }, { project: body }, body]) {
    assert.deepEqual(parseProject(reply), expected);
  }
});

test("an ontology alone is a project without name, stages and batches", () => {
  for (const reply of [schema, { categorySchema: schema }, { project: { categorySchema: schema } }]) {
    const project = parseProject(reply);
    assert.deepEqual(project.tools, [{ schemaId: "s1", title: "Car", tool: "polygon", color: "#1f77b4" }]);
    assert.deepEqual([project.id, project.name, project.stages, project.batches], ["", "", [], []]);
  }
});

test("lists that are null or missing are empty", () => {
  const project = parseProject({ data: { project: { _id: "p", name: null, categorySchema: { tools: null }, stages: null } } });
  assert.deepEqual(project, { id: "p", name: "", tools: [], stages: [], batches: [] });
  assert.deepEqual(parseProject({ _id: "p", categorySchema: null }).tools, []);
});

test("missing ids, titles and colours are tolerated, entries of nothing are left out", () => {
  const project = parseProject({
    categorySchema: {
      tools: [{ title: "Road", tool: "segmentation", color: null }, null, { tool: "polygon" }, { schemaId: "s", tool: "polygon" }],
    },
    stages: [{ name: "Label" }, "odd", { id: "Complete" }],
    batches: [{ name: "a" }, { _id: "b" }, null, "c"],
  });
  assert.deepEqual(project.tools, [
    { schemaId: "", title: "Road", tool: "segmentation", color: undefined },
    { schemaId: "s", title: "s", tool: "polygon", color: undefined },
  ]);
  assert.deepEqual(project.stages, [
    { id: "", name: "Label", type: "" },
    { id: "Complete", name: "Complete", type: "" },
  ]);
  assert.deepEqual(project.batches, [
    { id: undefined, name: "a" },
    { id: undefined, name: "c" },
  ]);
});

for (const [name, reply, message] of [
  ["nothing", undefined, /project is nothing; allowed: a JSON object/],
  ["a list", [], /project is a list/],
  ["text", "<html>", /project is a text/],
  ["an answer that failed", { status: "fail", message: "x" }, /no project in it \(it has the keys status, message\)/],
  ["an empty object", {}, /it has no keys/],
  ["tools that are no list", { tools: { a: 1 } }, /tools is an object; allowed: a list/],
  ["stages that are no list", { ...body, stages: "Label" }, /stages is a text; allowed: a list/],
  ["an ontology that is no object", { ...body, categorySchema: [] }, /categorySchema is a list; allowed: an object/],
] as const) {
  test(`${name} is refused with what is wrong`, () => {
    assert.throws(() => parseProject(reply), message);
  });
}

test("an error never quotes the body, which may hold a key", () => {
  assert.throws(
    () => parseProject({ data: { project: { ...body, tools: 1, categorySchema: undefined, apiKey: "hush" } } }),
    (error: Error) => !error.message.includes("hush"),
  );
});
