import assert from "node:assert/strict";
import { test } from "node:test";
import { classMappingJson, classMappingText } from "./class-mapping.js";
import { pythonRepr } from "./python-repr.js";

/** What `repr` of CPython 3 prints. */
const GOLDEN: readonly (readonly [text: string, repr: string])[] = [
  ["Car", "'Car'"],
  ["", "''"],
  ["it's", `"it's"`],
  ['say "hi"', `'say "hi"'`],
  [`both ' and "`, `'both \\' and "'`],
  ["back\\slash", "'back\\\\slash'"],
  ["tab\tnew\nret\r", "'tab\\tnew\\nret\\r'"],
  ["nul\u0000del\u007f", "'nul\\x00del\\x7f'"],
  ["caf\u00e9", "'caf\u00e9'"],
  ["combining e\u0301", "'combining e\u0301'"],
  ["nbsp\u00a0x", "'nbsp\\xa0x'"],
  ["soft\u00adhyphen", "'soft\\xadhyphen'"],
  ["zero\u200bwidth", "'zero\\u200bwidth'"],
  ["line\u2028sep", "'line\\u2028sep'"],
  ["ideographic\u3000space", "'ideographic\\u3000space'"],
  ["\u65e5\u672c", "'\u65e5\u672c'"],
  ["\u{1f600}", "'\u{1f600}'"],
  ["private\ue000", "'private\\ue000'"],
  ["unassigned\u0378", "'unassigned\\u0378'"],
  ["tag\u{e0001}", "'tag\\U000e0001'"],
  ["\u{10ffff}", "'\\U0010ffff'"],
  ["\ud800", "'\\ud800'"],
];

test("text is shown as Python's repr shows it", () => {
  for (const [text, repr] of GOLDEN) assert.equal(pythonRepr(text), repr);
});

test("gray classes map to numbers, in class order even where titles are numbers", () => {
  const classes = [
    { title: "Car", value: 255 },
    { title: "1", value: 128 },
    { title: "__proto__", value: 64 },
  ];
  assert.equal(classMappingText(classes, false), "{'Car': 255, '1': 128, '__proto__': 64}\n");
  assert.equal(classMappingJson(classes, false), '{\n  "Car": 255,\n  "1": 128,\n  "__proto__": 64\n}\n');
});

test("colours map to lists in JSON and to tuples in Python", () => {
  const classes = [{ title: "Car", value: 0x1f77b4 }];
  assert.equal(classMappingText(classes, true), "{'Car': (31, 119, 180)}\n");
  assert.deepEqual(JSON.parse(classMappingJson(classes, true)), { Car: [31, 119, 180] });
});

test("no classes are an empty dict", () => {
  assert.equal(classMappingText([], true), "{}\n");
  assert.equal(classMappingJson([], true), "{}\n");
});
