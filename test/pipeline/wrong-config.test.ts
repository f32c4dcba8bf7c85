import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Pipeline, startPipeline } from "./pipeline.js";
import { polygon, row, square } from "./rows.js";

const DEFAULTS: Readonly<Record<string, string | null>> = {
  "an empty text": "",
  null: null,
  '"null"': "null",
  "{}": "{}",
  "blanks only": " \n\t",
};

/** What a user may type, and what the one ERROR line has to name. */
const WRONG: readonly { readonly what: string; readonly config: string; readonly names: readonly RegExp[] }[] = [
  { what: "a list", config: "[]", names: [/\[\]/, /object/i] },
  { what: "no JSON", config: "class_mapping_type=3", names: [/JSON/] },
  { what: "a text", config: '"single_channel_sequential"', names: [/object/i] },
  { what: "a number", config: "5", names: [/object/i] },
  {
    what: "an unknown mapping",
    config: '{"class_mapping_type": "single_channel"}',
    names: [/class_mapping_type/, /"single_channel"/, /single_channel_sequential/, /project_colors/],
  },
  { what: "a mapping of the wrong type", config: '{"class_mapping_type": 7}', names: [/class_mapping_type/, /7/] },
  { what: "a text for a switch", config: '{"export_reviewed_assets": "yes"}', names: [/export_reviewed_assets/, /"yes"/, /true/, /false/] },
  {
    what: "nothing chosen",
    config: '{"export_reviewed_assets": false, "export_labeled_assets": false}',
    names: [/export_reviewed_assets/, /export_labeled_assets/],
  },
  { what: "a text for batch_names", config: '{"batch_names": "north"}', names: [/batch_names/, /list/] },
  { what: "a batch that the project does not have", config: '{"batch_names": ["nroth"]}', names: [/"nroth"/, /north/, /south/] },
  { what: "a frequency of zero", config: '{"verbose_frequency": 0}', names: [/verbose_frequency/, /\b0\b/, /1/] },
  { what: "a frequency that is no number", config: '{"verbose_frequency": "often"}', names: [/verbose_frequency/, /"often"/] },
  { what: "a number for verbose", config: '{"verbose": 1}', names: [/verbose/, /true/] },
  {
    what: "several mistakes, all of them at once",
    config: '{"class_mapping_type": "x", "verbose": "y", "verbose_frequency": -1, "batch_names": 3}',
    names: [/class_mapping_type/, /verbose\b/, /verbose_frequency/, /batch_names/],
  },
];

describe("the Config JSON of a session", () => {
  let pipeline: Pipeline;
  before(async () => {
    pipeline = await startPipeline({ rows: [row({ id: "a", tools: [polygon("Road", "road", square(1, 1, 3))] })] });
  });
  after(() => pipeline.close());

  for (const [what, config] of Object.entries(DEFAULTS)) {
    it(`is all defaults when it is ${what}`, async () => {
      const { archive } = await pipeline.run(config);
      assert.deepEqual(JSON.parse(String(archive?.get("class_mapping.json"))), { Road: 1, Car: 2, Tree: 3 });
    });
  }

  it("is all defaults when it is absent", async () => {
    const { archive } = await pipeline.run({}, { payload: { configJSON: undefined } });
    assert.ok(archive?.has("a.png"));
  });

  for (const { what, config, names } of WRONG) {
    it(`that is ${what} is answered with one ERROR line that says what is allowed, then with the error`, async () => {
      const { handle, lines } = await pipeline.run(config);
      assert.deepEqual(handle.results, [{ error: true, session: handle.session }]);
      const errors = lines.filter((line) => line.startsWith("ERROR"));
      assert.equal(errors.length, 1, lines.join("\n"));
      for (const name of names) assert.match(errors[0] ?? "", name);
    });
  }

  it("names the nearest known key for an unknown one, and goes on", async () => {
    const { archive, lines } = await pipeline.run({ class_maping_type: "project_colors" });
    assert.ok(archive);
    const warning = lines.find((line) => line.startsWith("WARNING")) ?? "";
    assert.match(warning, /"?class_maping_type"?.*class_mapping_type/);
  });

  it("with more classes than the mapping holds names the mappings that fit", async () => {
    const tools = Array.from({ length: 256 }, (_, index) => ({
      schemaId: `s${index}`,
      title: `Class ${index}`,
      tool: "polygon",
      color: "#102030",
    }));
    const large = await startPipeline({ rows: [], project: { categorySchema: { tools } } });
    try {
      const { handle, lines } = await large.run({ class_mapping_type: "single_channel_diverging" });
      assert.equal((await handle.result).error, true);
      const error = lines.find((line) => line.startsWith("ERROR")) ?? "";
      assert.match(error, /256/);
      assert.match(error, /255/);
      assert.match(error, /multi_channel_qualitative/);
      assert.match(error, /project_colors/);
      assert.doesNotMatch(error, /single_channel_sequential/);
    } finally {
      await large.close();
    }
  });
});
