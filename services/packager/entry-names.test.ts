import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ARCHIVE_FILES, createEntryNames } from "./entry-names.js";

const single = (taskId: string, index = 0) => ({ taskId, index, part: 0, parts: 1 });

test("a mask is called by its task", () => {
  assert.equal(createEntryNames()(single("64ab.c_D-1")), "64ab.c_D-1.png");
});

test("what could leave the archive or trouble a file system is replaced", () => {
  const cases: readonly (readonly [taskId: string, name: string])[] = [
    ["../../etc/passwd", "___.._etc_passwd.png"],
    ["C:\\x", "C__x.png"],
    ["..", "__.png"],
    ["a b\u00e9\u{1f600}", "a_b__.png"],
    ["", "asset-7.png"],
    ["CON", "_CON.png"],
    ["nul.txt", "_nul.txt.png"],
    ["console", "console.png"],
    ["x".repeat(500), `${"x".repeat(100)}.png`],
  ];
  for (const [taskId, name] of cases) assert.equal(createEntryNames()(single(taskId, 7)), name, JSON.stringify(taskId));
});

test("parts are numbered from 1, with as many digits as their number has", () => {
  const name = createEntryNames();
  assert.equal(name({ taskId: "t", index: 0, part: 0, parts: 2 }), "t-1.png");
  assert.equal(name({ taskId: "t", index: 0, part: 1, parts: 2 }), "t-2.png");
  assert.equal(name({ taskId: "u", index: 1, part: 2, parts: 120 }), "u-003.png");
});

test("a name that is taken gets the next free number, and case does not make a difference", () => {
  const name = createEntryNames();
  assert.deepEqual(
    ["a", "A", "a", "a-2", "a_", "a/"].map((taskId, index) => name(single(taskId, index))),
    ["a.png", "A-2.png", "a-3.png", "a-2-2.png", "a_.png", "a_-2.png"],
  );
});

test("no two names are equal without regard to case, and all are safe", () => {
  const character = fc.constantFrom("a", "A", "-", "2", "3", ".", "/", " ", "1", "\u212a");
  const mask = fc.record({
    taskId: fc.string({ unit: character, maxLength: 4 }),
    index: fc.nat(3),
    part: fc.nat(11),
    parts: fc.constantFrom(1, 2, 12),
  });
  fc.assert(
    fc.property(fc.array(mask, { maxLength: 60 }), (masks) => {
      const names = masks.map(createEntryNames());
      const reserved: readonly string[] = Object.values(ARCHIVE_FILES);
      assert.equal(new Set([...names.map((name) => name.toLowerCase()), ...reserved]).size, masks.length + reserved.length);
      for (const name of names) assert.match(name, /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}\.png$/);
    }),
  );
});

test("many equal names take no quadratic time: no number is tried twice", (t) => {
  const lookUps = t.mock.method(Set.prototype, "has");
  const name = createEntryNames();
  for (let index = 0; index < 499; index++) name(single("same", index));
  assert.equal(name(single("same")), "same-500.png");
  assert.ok(lookUps.mock.callCount() <= 2 * 500, `${lookUps.mock.callCount()} names were looked up`);
});
