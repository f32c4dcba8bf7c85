import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseTooLongRow, tooLongRow } from "../../proto/too-long-row.js";
import { CHECKPOINT_ROWS, RowBlock } from "./export-rows.js";
import { createRowSplitter } from "./split-rows.js";

const NO_LIMIT = 1e9;

/** Splits a text that arrives in chunks of the given sizes (the last one repeats). */
function split(text: string | Buffer, sizes: readonly number[] = [1e9], maxRowBytes = NO_LIMIT): string[] {
  const block = new RowBlock(maxRowBytes);
  const splitter = createRowSplitter(block);
  const bytes = Buffer.from(text);
  const finished: Buffer[] = [];
  for (let from = 0, k = 0; from < bytes.length; k++) {
    const size = sizes[Math.min(k, sizes.length - 1)] ?? 1;
    splitter.push(Buffer.from(bytes.subarray(from, from + size)));
    from += size;
    finished.push(Buffer.from(block.finished()));
    block.drop();
  }
  splitter.end();
  finished.push(block.finished());
  const frozen = Buffer.concat(finished);
  assert.equal(block.bytes, frozen.length);
  const rows = frozen.toString().split("\n");
  assert.equal(rows.pop(), "", "every row is ended");
  assert.equal(block.rows, rows.length);
  return rows;
}

const CHUNKINGS: readonly (readonly number[])[] = [[1e9], [1], [2, 3], [7]];

for (const [name, text, rows] of [
  ["lines", '{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']],
  ["a last line without an end", '{"a":1}\n{"b":2}', ['{"a":1}', '{"b":2}']],
  ["CRLF", '{"a":1}\r\n{"b":2}\r\n', ['{"a":1}', '{"b":2}']],
  ["a BOM", '\ufeff{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']],
  ["empty lines and lines of blanks", '\n\n{"a":1}\n \t \n\r\n{"b":2}\n  ', ['{"a":1}', '{"b":2}']],
  ["U+2028 and a lone CR within a line", '{"a":"\u2028\u0085"}\n{"b":\r2}', ['{"a":"\u2028\u0085"}', '{"b":\r2}']],
  ["malformed lines", '{"a":\nnull\n"x\n}]\n', ['{"a":', "null", '"x', "}]"]],
  ["a list in a later line", '{"a":1}\n[1,2]\n', ['{"a":1}', "[1,2]"]],
  ["nothing", "", []],
  ["blanks only", " \r\n\n", []],
  ["a BOM only", "\ufeff", []],
  ["a compact array", '[{"a":[1,{"x":"]"}]},{"b":2}]', ['{"a":[1,{"x":"]"}]}', '{"b":2}']],
  ["an empty array", " [ \n ] \n", []],
  ["an array behind a BOM and blanks", '\ufeff \n[{"a":1}\n]\n', ['{"a":1}']],
  [
    "a pretty-printed array",
    '[\r\n  {\r\n    "a": 1\r\n  },\n  {\n    "b": [\n 2 ]\n  }\n]\n',
    ['{\r     "a": 1\r   }', '{     "b": [  2 ]   }'],
  ],
  ["escapes in strings", '[{"a":"\\"],{"},{"b":"\\\\"},{"c":"\\\\\\""}]', ['{"a":"\\"],{"}', '{"b":"\\\\"}', '{"c":"\\\\\\""}']],
  ["elements that are no objects", '[null, 12 ,"x,y",[1,[2]],true]', ["null", "12", '"x,y"', "[1,[2]]", "true"]],
  ["malformed elements", '[{"a" 1}, }, nonsense, {"b":2}]', ['{"a" 1}', "}", "nonsense", '{"b":2}']],
  ["elements of nothing", '[{"a":1},, {"b":2},]', ['{"a":1}', '{"b":2}']],
  ["a line feed within a string of an array", '[{"a":"x\ny"}]', ['{"a":"x y"}']],
] as const) {
  test(`rows of ${name}, however the chunks are cut`, () => {
    for (const sizes of CHUNKINGS)
      assert.deepEqual(
        split(text, sizes),
        rows.map((row) => row.replaceAll("\n", " ")),
        `chunks of ${sizes}`,
      );
  });
}

for (const [name, text, message] of [
  ["is cut within an element", '[{"a":1},{"b":', /incomplete: its list of assets has no end/],
  ["is cut within a string", '[{"a":"x', /no end/],
  ["is cut between elements", '[{"a":1},', /no end/],
  ["is cut at once", "[", /no end/],
  ["is followed by something", '[{"a":1}] {"b":2}', /something follows the end/],
] as const) {
  test(`an array that ${name} is an error of the whole export`, () => {
    for (const sizes of CHUNKINGS) assert.throws(() => split(text, sizes), message);
  });
}

test("random rows are the same rows as lines and as an array, plain or pretty-printed, in chunks of any sizes", () => {
  const row = fc.oneof(
    fc.json({ maxDepth: 4 }),
    fc.jsonValue().map((value) => JSON.stringify({ asset: value, task: { tools: [value] } })),
    fc.string({ unit: "binary" }).map((text) => JSON.stringify(text)),
  );
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(fc.array(row), sizes, fc.constantFrom("\n", "\r\n", "\n\n"), (rows, cuts, ending) => {
      const trimmed = rows.map((text) => text.replaceAll("\n", " ").trim());
      const lines = trimmed.map((text) => text + ending).join("");
      // A first row that is a list itself makes lines look like an array: then only the array form is unambiguous.
      if (!trimmed[0]?.startsWith("[")) assert.deepEqual(split(lines, cuts), trimmed);
      assert.deepEqual(split(`\ufeff[${trimmed.join(` ,${ending}`)}]${ending}`, cuts), trimmed);
      const values = trimmed.map((text) => JSON.parse(text));
      assert.deepEqual(
        split(JSON.stringify(values, null, 2), cuts).map((text) => JSON.parse(text)),
        values,
      );
    }),
  );
});

test("a row over the limit becomes a line that tells its length, and costs its neighbours nothing", () => {
  const long = `{"a":"${"x".repeat(100)}"}`;
  for (const text of [`{"b":1}\n${long}\n{"c":2}\n`, `[{"b":1},${long},{"c":2}]`, `{"b":1}\n   ${long}`]) {
    for (const sizes of CHUNKINGS) {
      const rows = split(text, sizes, 50);
      assert.deepEqual([rows[0], rows[1]], ['{"b":1}', `!maskline:row-too-long:${long.length}:50`]);
      assert.deepEqual(rows.slice(2), text.includes("c") ? ['{"c":2}'] : []);
    }
  }
  assert.deepEqual(split(long, [3], long.length), [long], "exactly the limit fits");
});

test("a line of blanks only is no row, however long it is", () => {
  assert.deepEqual(split(`{"b":1}\n${" ".repeat(1000)}\r\n{"c":2}\n`, [64], 50), ['{"b":1}', '{"c":2}']);
});

test("the line for a row that is too long is told from all others", () => {
  assert.deepEqual(parseTooLongRow(tooLongRow(123_456_789_012, 64)), { bytes: 123_456_789_012, limit: 64 });
  for (const row of ["", "!", "{}", '"!maskline:row-too-long:1:2"', "!maskline:row-too-long:1:2 ", "!maskline:row-too-long:x:2"]) {
    assert.equal(parseTooLongRow(Buffer.from(row)), undefined, row);
  }
  assert.throws(() => JSON.parse(tooLongRow(1, 2).toString()), "no JSON text is like it");
});

test("checkpoints are the offsets of every so-manieth row", () => {
  const block = new RowBlock(NO_LIMIT);
  const splitter = createRowSplitter(block);
  const rows = Array.from({ length: 3 * CHECKPOINT_ROWS + 5 }, (_, k) => `{"n":${k}}`);
  for (const half of [rows.slice(0, 1500), rows.slice(1500)]) {
    splitter.push(Buffer.from(half.map((row) => `${row}\n`).join("")));
    block.drop();
  }
  const expected = [1, 2, 3].map((k) => rows.slice(0, k * CHECKPOINT_ROWS).join("\n").length + 1);
  assert.deepEqual(block.checkpoints, expected);
});

test("rows larger than the block's usual size are kept whole, and the block shrinks again", () => {
  const large = `{"a":"${"y".repeat(5_000_000)}"}`;
  assert.deepEqual(split(`{"b":1}\n${large}\n{"c":2}\n${large}`, [1_000_003]), ['{"b":1}', large, '{"c":2}', large]);
});
