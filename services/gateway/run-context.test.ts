import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ColourMode } from "../../proto/gen/maskline/v1/pipeline.js";
import type { Session } from "./hub.js";
import type { Project } from "./project.js";
import { archiveName, buildRunContext } from "./run-context.js";
import { parseSettings } from "./session-settings.js";

const session: Session = {
  session: "s-1",
  projectId: "p1",
  apiKey: "hush",
  orgId: "o",
  runBy: "u",
  configJson: undefined,
  stage: undefined,
  batches: [],
};

const project: Project = {
  id: "p1",
  name: "Streets",
  tools: [{ schemaId: "a", title: "Car", tool: "polygon", color: undefined }],
  stages: [{ id: "st", name: "Check", type: "Review" }],
  batches: [
    { id: "b1", name: "north" },
    { id: undefined, name: "south" },
  ],
};

function build(config: object, changed: Partial<Project> = {}) {
  const result = parseSettings(config);
  assert.ok("settings" in result);
  return buildRunContext({ run: "R", session, settings: result.settings, project: { ...project, ...changed }, archiveName: "masks-x.zip" });
}

test("the context holds settings, classes and stages, and nothing of the session's secrets", () => {
  const result = build({ batch_names: ["south"] });
  assert.ok("context" in result);
  assert.deepEqual(result.context, {
    run: "R",
    session: "s-1",
    projectId: "p1",
    archiveName: "masks-x.zip",
    settings: {
      classMappingType: "single_channel_sequential",
      exportReviewedAssets: true,
      exportLabeledAssets: true,
      batchNames: ["south"],
      verbose: true,
      verboseFrequency: 1000,
      includeKeyFramesOnly: false,
    },
    mode: ColourMode.GRAY,
    classes: [{ title: "Car", value: 1, schemaIds: ["a"] }],
    stages: [{ id: "st", name: "Check", type: "Review" }],
  });
  assert.ok(!JSON.stringify(result).includes("hush"));
});

test("a batch that the project does not have is a problem that lists those it has", () => {
  const result = build({ batch_names: ["nroth", "south", "elsewhere"] });
  assert.ok("problems" in result);
  assert.deepEqual(result.problems, [
    'batch_names: the project has no batch "nroth" (did you mean "north"?), "elsewhere"; its batches are "north", "south".',
  ]);
});

test("many batches are not all listed", () => {
  const batches = Array.from({ length: 500 }, (_, k) => ({ id: undefined, name: `batch number ${k}` }));
  const result = build({ batch_names: ["?"] }, { batches });
  assert.ok("problems" in result);
  assert.match(result.problems[0] ?? "", /"batch number 49" and 450 more\.$/);
});

test("of a thousand unknown batches the first are told with what was meant, and the rest are counted", () => {
  const batches = Array.from({ length: 2000 }, (_, k) => ({ id: undefined, name: `the batch of week number ${k} in the north` }));
  const wanted = Array.from({ length: 1000 }, (_, k) => `the batch of weak number ${k} in the nroth`);
  const result = build({ batch_names: wanted }, { batches });
  assert.ok("problems" in result);
  assert.match(
    result.problems[0] ?? "",
    /number 19 in the nroth" \(did you mean "the batch of week number 19 in the north"\?\) and 980 more; its/,
  );
  assert.ok((result.problems[0]?.length ?? 0) < 8000);
});

test("a project without batches says so", () => {
  const result = build({ batch_names: ["north"] }, { batches: [] });
  assert.ok("problems" in result);
  assert.match(result.problems[0] ?? "", /the project has no batches; leave batch_names out/);
});

test("problems with classes and with batches are told at once", () => {
  const result = build({ class_mapping_type: "project_colors", batch_names: ["?"] });
  assert.ok("problems" in result);
  assert.equal(result.problems.length, 2);
});

test("warnings of the class table are handed on", () => {
  const result = build({}, { tools: [] });
  assert.ok("context" in result);
  assert.equal(result.warnings.length, 1);
});

for (const [name, projectName, id, expected] of [
  ["plain names stay", "Streets_2.1", "0a1b2c3d4e5f0a1b2c3d4e5f", "masks-Streets_2.1-0a1b2c3d4e5f0a1b2c3d4e5f.zip"],
  ["runs of other letters become one dash", "çatı 100% (a&b)/#2", "s1", "masks-at-100-a-b-2-s1.zip"],
  ["a project without a safe letter", "街道", "s1", "masks-project-s1.zip"],
  ["no way out of a folder", "../../etc", "s1", "masks-etc-s1.zip"],
] as const) {
  test(`archive name: ${name}`, () => {
    assert.equal(archiveName(projectName, id), expected);
  });
}

test("a session whose letters change keeps a name of its own", () => {
  const names = ["a b", "a/b", "a-b", "a-b-", "", "-", "街", "x".repeat(100), "x".repeat(101)].map((id) => archiveName("P", id));
  assert.equal(new Set(names).size, names.length);
  assert.equal(names[2], "masks-P-a-b.zip");
  assert.match(names[0] ?? "", /^masks-P-a-b-[0-9a-f]{10}\.zip$/);
  assert.match(names[4] ?? "", /^masks-P-session-[0-9a-f]{10}\.zip$/);
});

test("whatever the names, the archive's is safe and bounded", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), fc.string({ unit: "binary", maxLength: 300 }), (projectName, id) => {
      const name = archiveName(projectName, id);
      assert.match(name, /^masks-[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?-[A-Za-z0-9_][A-Za-z0-9._-]*\.zip$/);
      assert.ok(name.length <= 120, `${name.length}`);
      return true;
    }),
  );
  assert.equal(archiveName(`${".".repeat(200_000)}x`, "s").length < 120, true, "a long name costs no time");
});
