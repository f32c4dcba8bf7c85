import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DROPPED_KINDS, REJECT_CODES, SKIP_RULES } from "../../proto/outcomes.js";
import { fuzzStretch } from "./fuzz-run.js";

const SEED = 20_260_105;
const DROPPED_TOOLS = ["bounding-box", "rotated-bounding-box", "polyline", "point", "spline", "circle", "ellipse", "ner", "pdf", "brush"];
const LEAST_SHARE = 0.01;

/** `npm run fuzz` looks further. Every one of these ends, in bounded memory, and breaks no promise; what fails names its mutant. */
describe("fuzzing with a fixed seed", () => {
  it("100,000 mutated rows: each has one outcome, and there is no kind of outcome that they do not reach", {
    timeout: 170_000,
  }, async () => {
    const { tally } = await fuzzStretch({ stream: "rows", seed: SEED, from: 0, end: 100_000 });
    assert.equal(tally.mutants, 100_000);
    const wanted = [
      "masks",
      ...Object.keys(SKIP_RULES).map((rule) => `skipped ${rule}`),
      ...Object.keys(REJECT_CODES).map((code) => `rejected ${code}`),
      ...[...Object.values(DROPPED_KINDS), ...DROPPED_TOOLS].map((kind) => `dropped ${kind}`),
    ];
    const rare = wanted.filter((end) => !((tally.ends[end] ?? 0) >= tally.mutants * LEAST_SHARE));
    assert.deepEqual(rare, [], `too few mutants reach these: ${JSON.stringify(tally.ends)}`);
  });

  it("2,000 mutated exports: sound ones come out whole, others are refused in words", { timeout: 170_000 }, async () => {
    const { tally } = await fuzzStretch({ stream: "archives", seed: SEED, from: 0, end: 2_000 });
    for (const how of ["plain", "zip", "zip stored", "zip64", "zip with a descriptor", "zip of several"]) {
      for (const end of [`frozen: ${how}`, `refused: ${how}`]) assert.ok((tally.ends[end] ?? 0) >= 20, `${end}: ${tally.ends[end]}`);
    }
    for (const how of ["zip bomb", "zip in a zip", "zip that lies", "zip with a password", "zip of another method"]) {
      assert.ok((tally.ends[`refused: ${how}`] ?? 0) >= 20, `refused: ${how}`);
    }
  });

  it("10,000 mutated sessions, configs and projects: a context, or words that say what is wrong", { timeout: 170_000 }, async () => {
    const { tally } = await fuzzStretch({ stream: "configs", seed: SEED, from: 0, end: 10_000 });
    for (const end of ["accepted", "session refused", "config refused", "project refused", "context refused"]) {
      assert.ok((tally.ends[end] ?? 0) >= 100, `${end}: ${tally.ends[end]}`);
    }
  });

  it("10,000 mutated images: a size, or words that say why there is none", { timeout: 170_000 }, async () => {
    const { tally } = await fuzzStretch({ stream: "images", seed: SEED, from: 0, end: 10_000 });
    for (const format of ["png", "jpeg", "webp", "tiff", "gif", "bmp", "dicom"]) {
      for (const end of [`${format} measured`, `${format} mutated, measured`, `${format} mutated, refused`]) {
        assert.ok((tally.ends[end] ?? 0) >= 20, `${end}: ${tally.ends[end]}`);
      }
    }
  });
});
