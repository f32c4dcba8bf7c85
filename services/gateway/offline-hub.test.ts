import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { createSurveyor } from "./export-survey.js";
import { type Answer, HubFailure } from "./hub.js";
import { createOfflineHub, type OfflineHubOptions } from "./offline-hub.js";
import { parseSession } from "./session-payload.js";

const never = new AbortController().signal;
const limits = { maxEntryBytes: 1e9, maxRatio: 1000, maxLineBytes: 1e6 };
const polygon = [
  [0, 0],
  [1, 0],
  [1, 1],
];
const rows = [
  {
    externalId: "a",
    batches: ["first", null],
    task: {
      tools: [
        { schemaId: "2", title: "Roof", polygon },
        { schemaId: "9", title: "Box", "bounding-box": {} },
      ],
    },
  },
  {
    externalId: "b",
    batches: ["second"],
    tasks: [{ objects: [{ schemaId: "1", title: "Car", segmentation: { zones: [] } }] }, { objects: null }],
  },
  {
    externalId: "c",
    batches: ["first"],
    task: {
      tools: [
        { schemaId: "2", title: "Roof again", polygon },
        { title: "Loose", polygon },
        { title: "Loose", polygon },
      ],
    },
  },
];
const ontology = {
  project: { _id: "p1", name: "Town", categorySchema: { tools: [{ schemaId: "1", title: "Car", tool: "polygon", color: "#112233" }] } },
};

let folder = "";
let exportFile = "";
let ontologyFile = "";
const logged: string[] = [];
const answered: Answer[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "maskline-offline-"));
  exportFile = join(folder, "town.ndjson");
  ontologyFile = join(folder, "project.json");
  await writeFile(exportFile, `${rows.map((row) => JSON.stringify(row)).join("\n")}\nnot json\n[1]\n`);
  await writeFile(ontologyFile, JSON.stringify(ontology));
});

after(() => rm(folder, { recursive: true }));

async function session(options: Partial<OfflineHubOptions> = {}) {
  const hub = createOfflineHub({
    exportFile,
    outFile: join(folder, "masks.zip"),
    limits,
    onLog: (level, message) => void logged.push(`${level} ${message}`),
    onProgress: () => undefined,
    onSummary: () => undefined,
    onAnswer: (answer) => void answered.push(answer),
    ...options,
  });
  let payload: unknown;
  await hub.start(async (started) => {
    payload = started;
  });
  return { hub, session: parseSession(payload) };
}

test("it starts one session of its own, with the config as the user wrote it and no stage filter", async () => {
  const first = await session({ configText: "{}" });
  const second = await session();
  assert.equal(first.hub.connected(), true);
  assert.equal(first.session.configJson, "{}");
  assert.equal(first.session.stage, undefined);
  assert.equal(second.session.configJson, undefined);
  assert.notEqual(first.session.session, second.session.session);
});

test("with an ontology the project is what it says", async () => {
  const { hub, session: started } = await session({ ontologyFile, configText: '{"class_mapping_type":"project_colors"}' });
  const project = await hub.project(started, never);
  assert.equal(project.name, "Town");
  assert.deepEqual(project.tools, [{ schemaId: "1", title: "Car", tool: "polygon", color: "#112233" }]);
  assert.deepEqual(project.batches, []);
});

test("without an ontology the classes are the painted tools by first appearance, and the user is told", async () => {
  const { hub, session: started } = await session();
  const project = await hub.project(started, never);
  assert.equal(project.name, "town");
  assert.deepEqual(
    project.tools.map(({ schemaId, title, tool }) => [schemaId, title, tool]),
    [
      ["2", "Roof", "polygon"],
      ["1", "Car", "segmentation"],
      ["", "Loose", "polygon"],
    ],
  );
  assert.match(logged.at(-1) ?? "", /^INFO No ontology was given: 3 classes found in the export/);
});

test("batches that the config asks for are known from the export when the ontology has none", async () => {
  const { hub, session: started } = await session({ ontologyFile, configText: '{"batch_names":["second"]}' });
  const project = await hub.project(started, never);
  assert.deepEqual(
    project.batches.map(({ name }) => name),
    ["first", "second"],
  );
  assert.equal(project.tools.length, 1);
});

test("project_colors without an ontology is an error that says why and what to do", async () => {
  const { hub, session: started } = await session({ configText: '{"class_mapping_type":"project_colors"}' });
  await assert.rejects(hub.project(started, never), {
    name: "HubFailure",
    message: /an export holds no colours.*--ontology project\.json/,
  });
  const unread = await session({ configText: "not json" });
  assert.equal((await unread.hub.project(unread.session, never)).tools.length, 3);
});

test("files that can not be read or understood are the user's errors, by name", async () => {
  const noExport = await session({ exportFile: join(folder, "none.zip") });
  await assert.rejects(noExport.hub.project(noExport.session, never), {
    name: "HubFailure",
    message: /none\.zip can not be read \(ENOENT\)/,
  });
  const options = { keyFramesOnly: false, maxBytes: 1e9 };
  await assert.rejects(noExport.hub.fetchExport(noExport.session, options, join(folder, "x"), never), HubFailure);
  const noOntology = await session({ ontologyFile: exportFile });
  await assert.rejects(noOntology.hub.project(noOntology.session, never), {
    name: "HubFailure",
    message: /The ontology in .*town\.ndjson/,
  });
});

test("the export is copied within its limit", async () => {
  const { hub, session: started } = await session();
  const copy = join(folder, "copy");
  await hub.fetchExport(started, { keyFramesOnly: true, maxBytes: 1e9 }, copy, never);
  assert.deepEqual(await readFile(copy), await readFile(exportFile));
  assert.match(logged.at(-1) ?? "", /^WARNING include_key_frames_only/);
  await assert.rejects(hub.fetchExport(started, { keyFramesOnly: false, maxBytes: 10 }, copy, never), /the limit is 10 bytes/);
});

test("the archive goes to the out file, its volumes beside it; the answer is handed over", async () => {
  const { hub, session: started } = await session();
  const out = pathToFileURL(join(folder, "masks.zip")).href;
  assert.deepEqual(await hub.uploadTarget(started, "masks-a.zip", never), { uploadUrl: out, signedUrl: out });
  assert.equal((await hub.uploadTarget(started, "masks-a.zip", never)).uploadUrl, out);
  assert.equal(
    (await hub.uploadTarget(started, "masks-a-vol001.zip", never)).uploadUrl,
    pathToFileURL(join(folder, "masks-a-vol001.zip")).href,
  );
  const answer: Answer = { export: true, response: out, session: started.session };
  await hub.answer(started, answer, never);
  assert.deepEqual(answered, [answer]);
  await hub.stop();
});

test("rows that are nothing tell nothing", () => {
  const surveyor = createSurveyor();
  for (const row of [undefined, null, 1, "x", [], {}, { task: { tools: [null, 1, [], { polygon }] }, batches: "b" }, { tasks: [null] }])
    surveyor.add(row);
  assert.deepEqual(surveyor.survey(), { tools: [], batches: [] });
});
