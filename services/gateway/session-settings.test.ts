import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSettings } from "./session-settings.js";

const defaults = {
  classMappingType: "single_channel_sequential",
  exportReviewedAssets: true,
  exportLabeledAssets: true,
  batchNames: [],
  verbose: true,
  verboseFrequency: 1000,
  includeKeyFramesOnly: false,
};

function problemsOf(configJson: unknown): string[] {
  const result = parseSettings(configJson);
  assert.ok("problems" in result, `expected problems, got ${JSON.stringify(result)}`);
  return result.problems;
}

test("nothing in the box, in whatever form, means the defaults", () => {
  for (const nothing of [undefined, null, "", "  \n", '""', "null", "{}", " { } ", {}, "\ufeff{}"]) {
    assert.deepEqual(parseSettings(nothing), { settings: defaults, warnings: [] }, JSON.stringify(nothing));
  }
});

test("all seven keys are read", () => {
  const config = {
    class_mapping_type: "project_colors",
    export_reviewed_assets: true,
    export_labeled_assets: false,
    batch_names: ["a", "b", "a"],
    verbose: false,
    verbose_frequency: 10,
    include_key_frames_only: true,
  };
  const settings = {
    classMappingType: "project_colors",
    exportReviewedAssets: true,
    exportLabeledAssets: false,
    batchNames: ["a", "b"],
    verbose: false,
    verboseFrequency: 10,
    includeKeyFramesOnly: true,
  };
  assert.deepEqual(parseSettings(JSON.stringify(config)), { settings, warnings: [] });
  assert.deepEqual(parseSettings(config), { settings, warnings: [] }, "an object that is parsed already");
});

test("a key without a value keeps its default", () => {
  assert.deepEqual(parseSettings('{"class_mapping_type": "", "batch_names": null, "verbose": null, "verbose_frequency": ""}'), {
    settings: defaults,
    warnings: [],
  });
  assert.deepEqual(parseSettings('{"batch_names": []}'), { settings: defaults, warnings: [] });
});

for (const [name, config, message] of [
  ["a list", "[]", /^The Config JSON is \[\]; allowed: nothing at all, or an object such as \{/],
  ["a number", "12", /^The Config JSON is 12;/],
  ["a list that is parsed already", [1], /^The Config JSON is \[1\];/],
  ["true", true, /^The Config JSON is true;/],
  ["a text", '"verbose"', /^The Config JSON is "verbose";/],
  ["what Python prints", "{'verbose': True}", /no valid JSON: \{'verbose': True\}\. Allowed: .*double quotes/],
  ["an object that is cut off", '{"verbose": tr', /no valid JSON/],
] as const) {
  test(`${name} is no config`, () => {
    const problems = problemsOf(config);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", message);
  });
}

for (const [key, value, message] of [
  [
    "class_mapping_type",
    "rainbow",
    /^class_mapping_type is "rainbow"; allowed: "single_channel_sequential", "single_channel_diverging", "multi_channel_qualitative", "project_colors"\.$/,
  ],
  ["class_mapping_type", 1, /^class_mapping_type is 1;/],
  ["export_reviewed_assets", "true", /^export_reviewed_assets is "true"; allowed: true or false, without quotes\.$/],
  ["export_labeled_assets", 0, /^export_labeled_assets is 0;/],
  ["verbose", {}, /^verbose is \{\};/],
  ["include_key_frames_only", [], /^include_key_frames_only is \[\];/],
  ["batch_names", "north", /^batch_names is "north"; allowed: a list of batch names/],
  ["batch_names", ["a", 1], /^batch_names is \["a",1\];/],
  ["verbose_frequency", 0, /^verbose_frequency is 0; allowed: a whole number from 1/],
  ["verbose_frequency", 1.5, /^verbose_frequency is 1.5;/],
  ["verbose_frequency", "10", /^verbose_frequency is "10";/],
  ["verbose_frequency", 1e12, /^verbose_frequency is 1000000000000;/],
] as const) {
  test(`${key} can not be ${JSON.stringify(value)}`, () => {
    const problems = problemsOf(JSON.stringify({ [key]: value }));
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", message);
  });
}

test("all problems are told at once", () => {
  const problems = problemsOf('{"class_mapping_type": "x", "verbose": 1, "verbose_frequency": -1, "batch_names": {}}');
  assert.deepEqual(
    problems.map((problem) => problem.split(" ")[0]),
    ["class_mapping_type", "batch_names", "verbose", "verbose_frequency"],
  );
});

test("to export neither reviewed nor labeled assets is a problem", () => {
  assert.match(problemsOf('{"export_reviewed_assets": false, "export_labeled_assets": false}')[0] ?? "", /both false/);
  assert.ok("settings" in parseSettings('{"export_reviewed_assets": false}'));
});

test("a long value is cut in the message", () => {
  const [problem] = problemsOf(JSON.stringify({ class_mapping_type: "x".repeat(5000) }));
  assert.ok((problem?.length ?? 0) < 400, problem);
});

test("unknown keys are one warning with the names that were meant", () => {
  const result = parseSettings('{"batchNames": ["a"], "verbose_freq": 5, "__proto__": 1, "colour": "red"}');
  assert.ok("settings" in result);
  assert.deepEqual(result.settings, defaults);
  assert.equal(result.warnings.length, 1);
  assert.match(result.warnings[0] ?? "", /^The Config JSON has 4 keys that are not known and are left aside: /);
  assert.match(result.warnings[0] ?? "", /"batchNames" \(did you mean "batch_names"\?\), "verbose_freq" \(did you mean "verbose/);
  assert.match(result.warnings[0] ?? "", /"colour"\. The known ones are class_mapping_type, /);
  const one = parseSettings('{"colour": "red"}');
  assert.match("warnings" in one ? (one.warnings[0] ?? "") : "", /has a key that is not known and is left aside: "colour"\./);
});

test("a thousand unknown keys are one warning of readable length", () => {
  const config = Object.fromEntries(Array.from({ length: 1000 }, (_, k) => [`unknown_frequency_${k}`, k]));
  const result = parseSettings(JSON.stringify(config));
  assert.ok("settings" in result);
  assert.equal(result.warnings.length, 1);
  assert.match(result.warnings[0] ?? "", /1000 keys .* and 980 more\. /);
  assert.ok((result.warnings[0]?.length ?? 0) < 3000);
});
