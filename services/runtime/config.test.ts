import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { bytes, ConfigError, duration, type Environment, integer, type Keys, list, oneOf, readConfig, text, url } from "./config.js";

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "maskline-config-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function errorOf(keys: Keys, env: Environment): ConfigError {
  try {
    readConfig(keys, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error;
  }
  assert.fail("nothing was wrong");
}

const meaning = "What it is for.";
const token = text({ env: "TOKEN", meaning, secret: true });

test("values are read by their kind, and defaults where nothing is set or it is empty", () => {
  const keys = {
    name: text({ env: "NAME", meaning, fallback: "maskline" }),
    hosts: list({ env: "HOSTS", meaning, fallback: "" }),
    mode: oneOf({ env: "MODE", meaning, fallback: "slow" }, ["slow", "fast"]),
    count: integer({ env: "COUNT", meaning, fallback: "3" }, { min: 0, max: 10 }),
  };
  assert.deepEqual(readConfig(keys, { NAME: "", MODE: undefined }), { name: "maskline", hosts: [], mode: "slow", count: 3 });
  assert.deepEqual(readConfig(keys, { NAME: "x", HOSTS: " a , b,,c ", MODE: "fast", COUNT: "10" }), {
    name: "x",
    hosts: ["a", "b", "c"],
    mode: "fast",
    count: 10,
  });
});

test("all mistakes are told at once, each with its key, its value and what is allowed", () => {
  const keys = {
    missing: text({ env: "MISSING", meaning: "The name of the plugin." }),
    mode: oneOf({ env: "MODE", meaning }, ["slow", "fast"]),
    count: integer({ env: "COUNT", meaning }, { min: 1, max: 10 }),
    size: bytes({ env: "SIZE", meaning }, { min: 1, max: 2 ** 30 }),
    wait: duration({ env: "WAIT", meaning }, { min: "1s", max: "1h" }),
    place: url({ env: "PLACE", meaning }, ["file", "s3"]),
    fine: text({ env: "FINE", meaning }),
  };
  const error = errorOf(keys, { MODE: "Fast", COUNT: "11", SIZE: "64MB", WAIT: "1d", PLACE: "not a url", FINE: "x" });
  assert.deepEqual(error.problems, [
    "MISSING is missing: The name of the plugin.",
    'MODE is "Fast"; allowed: slow, fast',
    'COUNT is "11"; allowed: a whole number from 1 to 10',
    'SIZE is "64MB"; allowed: bytes from 1 to 1073741824, as 250000, 64M or 4.5G',
    'WAIT is "1d"; allowed: a duration from 1s to 1h, as 30s or 5m',
    'PLACE is "not a url"; allowed: an absolute URL with file:// or s3://',
  ]);
  assert.match(error.message, /^The configuration has 6 mistakes:\n {2}- MISSING/);
  for (const problem of error.problems) assert.ok(error.message.includes(problem));
});

test("a secret comes from the environment, or from the file that its _FILE variant names, without the last line's end", () => {
  assert.equal(readConfig({ token }, { TOKEN: "direct" }).token, "direct");
  assert.equal(readConfig({ token }, { TOKEN_FILE: file("token", "from the file\n") }).token, "from the file");
});

test("an empty secret file counts as not set", () => {
  assert.match(errorOf({ token }, { TOKEN_FILE: file("empty", "\n") }).message, /TOKEN is missing/);
});

test("a secret that is set twice, or whose file can not be read, is a mistake that names the key", () => {
  const twice = errorOf({ token }, { TOKEN: "hunter2", TOKEN_FILE: file("token", "hunter3") });
  assert.match(twice.message, /TOKEN and TOKEN_FILE are both set/);
  const missing = errorOf({ token }, { TOKEN_FILE: join(folder, "nowhere") });
  assert.match(missing.message, /TOKEN_FILE names ".*nowhere", which can not be read/);
});

test("only secrets are read from files", () => {
  const name = text({ env: "NAME", meaning, fallback: "default" });
  assert.equal(readConfig({ name }, { NAME_FILE: file("name", "from the file") }).name, "default");
});

test("the value of a secret is in no error, wherever it comes from", () => {
  const pin = integer({ env: "PIN", meaning, secret: true }, { min: 0, max: 9_999 });
  for (const env of [{ PIN: "hunter2" }, { PIN_FILE: file("pin", "hunter2\n") }, { PIN: "hunter2", PIN_FILE: file("pin2", "hunter2") }]) {
    const error = errorOf({ pin }, env);
    assert.match(error.message, /PIN/);
    assert.ok(!JSON.stringify([error.message, error.problems, error.stack]).includes("hunter2"));
  }
});

for (const [written, value] of [
  ["0", 0],
  ["250000", 250_000],
  ["1K", 1_024],
  ["64M", 67_108_864],
  ["4.5G", 4_831_838_208],
] as const) {
  test(`${written} is ${value} bytes`, () => {
    const size = bytes({ env: "SIZE", meaning }, { min: 0, max: 2 ** 40 });
    assert.equal(readConfig({ size }, { SIZE: written }).size, value);
  });
}

for (const [written, value] of [
  ["0s", 0],
  ["250ms", 250],
  ["30s", 30_000],
  ["5m", 300_000],
  ["24h", 86_400_000],
] as const) {
  test(`${written} is ${value} milliseconds`, () => {
    const wait = duration({ env: "WAIT", meaning }, { min: "0s", max: "24h" });
    assert.equal(readConfig({ wait }, { WAIT: written }).wait, value);
  });
}

test("numbers without a unit that they need, with an unknown one, or that are none, are refused", () => {
  const keys = {
    size: bytes({ env: "SIZE", meaning }, { min: 0, max: 2 ** 40 }),
    wait: duration({ env: "WAIT", meaning }, { min: "0s", max: "24h" }),
    count: integer({ env: "COUNT", meaning }, { min: -5, max: 100 }),
  };
  for (const [env, written] of [
    ["SIZE", "1k"],
    ["SIZE", "1 M"],
    ["SIZE", "-1"],
    ["SIZE", "1e3"],
    ["SIZE", "."],
    ["WAIT", "30"],
    ["WAIT", "1.5s"],
    ["WAIT", "5 m"],
    ["WAIT", "-1s"],
    ["COUNT", "1e1"],
    ["COUNT", "0x10"],
    ["COUNT", "1.0"],
    ["COUNT", "-6"],
    ["COUNT", " "],
  ] as const) {
    const { problems } = errorOf(keys, { SIZE: "1", WAIT: "1s", COUNT: "1", [env]: written });
    assert.deepEqual(
      problems.map((problem) => problem.split(" ")[0]),
      [env],
      `${env}=${written}`,
    );
  }
});

test("a URL keeps its path without the last slash; an empty default means that there is none", () => {
  const place = url({ env: "PLACE", meaning, fallback: "" }, ["file"]);
  assert.equal(readConfig({ place }, {}).place, "");
  assert.equal(readConfig({ place }, { PLACE: "file:///a/b//" }).place, "file:///a/b");
});

test("whatever is in the environment, reading it ends in a value or in a ConfigError", () => {
  const keys = {
    hosts: list({ env: "HOSTS", meaning, fallback: "" }),
    count: integer({ env: "COUNT", meaning, fallback: "1" }, { min: 1, max: 10 }),
    size: bytes({ env: "SIZE", meaning, fallback: "1" }, { min: 1, max: 2 ** 30 }),
    wait: duration({ env: "WAIT", meaning, fallback: "1s" }, { min: "1s", max: "1h" }),
    place: url({ env: "PLACE", meaning, fallback: "" }, ["file"]),
  };
  fc.assert(
    fc.property(fc.string(), fc.constantFrom("HOSTS", "COUNT", "SIZE", "WAIT", "PLACE"), (value, env) => {
      try {
        const config = readConfig(keys, { [env]: value });
        assert.ok(config.count >= 1 && config.count <= 10);
        assert.ok(config.size >= 1 && config.size <= 2 ** 30);
        assert.ok(config.wait >= 1_000 && config.wait <= 3_600_000);
      } catch (error) {
        assert.ok(error instanceof ConfigError);
        assert.ok(error.problems[0]?.startsWith(`${env} is `));
      }
    }),
  );
});
