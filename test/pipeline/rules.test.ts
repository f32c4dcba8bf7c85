import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Pipeline, startPipeline } from "./pipeline.js";
import { polygon, row, square } from "./rows.js";

const tools = [polygon("Road", "road", square(1, 1, 4))];

const ROWS = [
  row({ id: "untouched", tools, standing: "untouched" }),
  row({ id: "labeled", tools, standing: "labeled" }),
  row({ id: "reviewed", tools, standing: "reviewed" }),
  row({ id: "rejected", tools, standing: "rejected in review" }),
  row({ id: "south", tools, batches: ["south", null] }),
  row({ id: "both", tools, batches: ["north", "south"] }),
  row({ id: "none", tools, batches: [] }),
];

interface Case {
  readonly what: string;
  readonly config: object;
  /** By task: `mask`, or the rule that left it out. */
  readonly outcomes: Readonly<Record<string, string>>;
}

const everything = {
  untouched: "not_labeled",
  labeled: "mask",
  reviewed: "mask",
  rejected: "mask",
  south: "mask",
  both: "mask",
  none: "mask",
};
const batch = "batch_names";

const CASES: readonly Case[] = [
  { what: "takes everything that somebody labeled by default", config: {}, outcomes: everything },
  {
    what: "takes both with both set",
    config: { export_reviewed_assets: true, export_labeled_assets: true },
    outcomes: everything,
  },
  {
    what: "leaves reviewed assets out with export_reviewed_assets false, whatever the verdict was",
    config: { export_reviewed_assets: false },
    outcomes: { ...everything, reviewed: "export_reviewed_assets", rejected: "export_reviewed_assets" },
  },
  {
    what: "leaves labeled but not reviewed assets out with export_labeled_assets false",
    config: { export_labeled_assets: false },
    outcomes: {
      ...everything,
      labeled: "export_labeled_assets",
      south: "export_labeled_assets",
      both: "export_labeled_assets",
      none: "export_labeled_assets",
    },
  },
  {
    what: "takes the assets of one batch",
    config: { batch_names: ["south"] },
    outcomes: { untouched: batch, labeled: batch, reviewed: batch, rejected: batch, south: "mask", both: "mask", none: batch },
  },
  {
    what: "takes the assets of any of several batches",
    config: { batch_names: ["south", "north"] },
    outcomes: { ...everything, none: batch },
  },
  { what: "takes all batches with an empty list", config: { batch_names: [] }, outcomes: everything },
  { what: "takes all batches with null", config: { batch_names: null }, outcomes: everything },
];

describe("the rules of the Config JSON", () => {
  let pipeline: Pipeline;
  before(async () => {
    pipeline = await startPipeline({ rows: ROWS });
  });
  after(() => pipeline.close());

  for (const { what, config, outcomes } of CASES) {
    it(`${what}, and the manifest tells why each other one was left out`, async () => {
      const { archive } = await pipeline.run(config);
      assert.ok(archive);
      const lines = archive.get("manifest.ndjson")?.toString().trimEnd().split("\n") ?? [];
      const manifest = lines.map((line) => JSON.parse(line));
      assert.deepEqual(Object.fromEntries(manifest.map((line) => [line.taskId, line.rule ?? line.outcome])), outcomes);
      for (const line of manifest) {
        if (line.outcome === "skipped") assert.ok(line.reason.length > 5, `a reason in words: ${line.reason}`);
        assert.equal(archive.has(`${line.taskId}.png`), line.outcome === "mask");
      }
    });
  }

  it("verbose true tells that the session is accepted, how far it is, and how it ended", async () => {
    // Of a session that is over in a moment there is no progress to tell.
    const many = await startPipeline({ rows: Array.from({ length: 2_000 }, (_, index) => row({ id: `t${index}`, tools })) });
    try {
      const { lines } = await many.run({ verbose: true, verbose_frequency: 1 });
      const said = lines.join("\n");
      assert.match(said, /^INFO Session accepted: 2,000 assets, 3 classes/m);
      assert.match(said, /^INFO [\d,]+ of 2,000 \(\d+ %\)/m);
      assert.match(lines.at(-1) ?? "", /^INFO Done in .*2,000 masks/);
    } finally {
      await many.close();
    }
  });

  it("verbose false sends nothing but warnings and errors", async () => {
    const quiet = await pipeline.run({ verbose: false });
    assert.ok(quiet.archive);
    assert.deepEqual(quiet.lines, []);
    const warned = await pipeline.run({ verbose: false, no_such_key: 1 });
    assert.equal(warned.lines.length, 1);
    assert.match(warned.lines[0] ?? "", /^WARNING .*no_such_key/);
  });

  it("verbose_frequency is how many assets lie between two progress lines", async () => {
    const many = await startPipeline({ rows: Array.from({ length: 2_000 }, (_, index) => row({ id: `t${index}`, tools })) });
    try {
      const progress = async (frequency: number) => {
        const { lines } = await many.run({ verbose_frequency: frequency });
        return lines.map((line) => /^INFO ([\d,]+) of 2,000/.exec(line)?.[1]).filter((done) => done !== undefined);
      };
      assert.ok((await progress(10)).length > 1);
      assert.ok((await progress(1000)).length <= 2);
      assert.deepEqual(await progress(5000), []);
    } finally {
      await many.close();
    }
  });
});
