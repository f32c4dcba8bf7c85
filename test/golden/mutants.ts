/**
 * Puts each mistake of docs/fill-semantics.md section 6 into a copy of the compiled painter, one at a time, and counts the golden cases that
 * notice: `node dist/test/golden/mutants.js`. Exits with 1 if a mistake passes unnoticed.
 */
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type GoldenCase, goldenCases, goldenScene, roundHalfEven } from "./golden-cases.js";
import { paintPixels } from "./pixels.js";

interface Change {
  /** In this compiled file of services/rasterizer... */
  readonly file: string;
  /** ...this text, which must be there... */
  readonly from: string;
  /** ...becomes this one, wherever it is. */
  readonly to: string;
}

interface Mutant {
  readonly mistake: string;
  /** How many cases notice it, says the page. */
  readonly documented: number;
  readonly changes: readonly Change[];
  readonly round?: (value: number) => number;
}

const FLAT_TIES = "- dx + 2 * dy";
const STEEP_TIES = "+ dy - 1";

const MUTANTS: readonly Mutant[] = [
  { mistake: "rounding half up", documented: 208, changes: [], round: (value) => Math.floor(value + 0.5) },
  {
    mistake: "no outline",
    documented: 332,
    changes: [
      { file: "outline.js", from: "if (lastStep < firstStep)", to: "if (true)" },
      { file: "row-lists.js", from: "joinLatest(row) {", to: "joinLatest(row) { return;" },
    ],
  },
  {
    mistake: "lines drawn in the given direction",
    documented: 197,
    changes: [
      { file: "outline.js", from: "if (x2 < x1)", to: "tie = x2 < x1 ? 1 : 0; if (x2 < x1)" },
      { file: "outline.js", from: "function addFlat(", to: "let tie = 0; function addFlat(" },
      { file: "outline.js", from: FLAT_TIES, to: `${FLAT_TIES} - tie` },
      { file: "outline.js", from: STEEP_TIES, to: `${STEEP_TIES} + tie` },
    ],
  },
  {
    mistake: "flat ties the other way",
    documented: 199,
    changes: [{ file: "outline.js", from: FLAT_TIES, to: `${FLAT_TIES} - 1` }],
  },
  {
    mistake: "steep ties the other way",
    documented: 166,
    changes: [{ file: "outline.js", from: STEEP_TIES, to: "+ dy" }],
  },
  {
    mistake: "floor on the left end of a pair",
    documented: 184,
    changes: [{ file: "contour-runs.js", from: "Math.ceil(", to: "Math.floor(" }],
  },
  {
    mistake: "bottom row included",
    documented: 239,
    changes: [{ file: "interior.js", from: "Math.max(y1, y2), band.end", to: "Math.max(y1, y2) + 1, band.end" }],
  },
  {
    mistake: "floor instead of trunc when clipping",
    documented: 172,
    changes: [{ file: "clip.js", from: "Math.trunc(", to: "Math.floor(" }],
  },
  {
    mistake: "65536 * x in 32 bits",
    documented: 18,
    changes: [
      { file: "interior.js", from: "ONE * clippedX1 +", to: "(clippedX1 << 16) +" },
      { file: "interior.js", from: "ONE * clippedX2 +", to: "(clippedX2 << 16) +" },
    ],
  },
  {
    mistake: "a hole that writes 0 into the mask",
    documented: 125,
    changes: [{ file: "sweep-row.js", from: "if (label !== ERASED)", to: "if (label === ERASED) return BACKGROUND; else" }],
  },
  {
    mistake: "d and X from the unclipped ends",
    documented: 105,
    changes: [{ file: "contour-runs.js", from: "band, edge, clipped);", to: "band, edge, edge);" }],
  },
];

/** The page's numbers are of the cases below half a megapixel. */
const MOST_PIXELS = 500_000;

const compiled = fileURLToPath(new URL("../../services/rasterizer/", import.meta.url));

/** The painter's module with these changes, in a folder of its own. */
async function mutate(changes: readonly Change[], folder: string): Promise<typeof import("../../services/rasterizer/paint.js")> {
  cpSync(compiled, folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const { file, from, to } of changes) {
    const path = join(folder, file);
    const source = readFileSync(path, "utf8");
    if (!source.includes(from)) throw new Error(`${file} has no ${JSON.stringify(from)}: the painter was changed, change this mutant too`);
    writeFileSync(path, source.replaceAll(from, to));
  }
  return import(pathToFileURL(join(folder, "paint.js")).href);
}

/** Cases that are painted differently; a painter that fails has noticed, too. */
async function countDifferent(cases: readonly GoldenCase[], { changes, round = roundHalfEven }: Mutant, folder: string): Promise<number> {
  const { Painter } = await mutate(changes, folder);
  return cases.filter((golden) => {
    try {
      const { scene, values } = goldenScene(golden, round);
      const pixels = paintPixels(new Painter(), scene, values);
      return createHash("sha256").update(pixels).digest("hex") !== golden.sha256;
    } catch {
      return true;
    }
  }).length;
}

const cases = goldenCases().filter(({ width, height }) => width * height < MOST_PIXELS);
const folder = mkdtempSync(join(tmpdir(), "maskline-mutants-"));
try {
  const unchanged = await countDifferent(cases, { mistake: "", documented: 0, changes: [] }, join(folder, "unchanged"));
  if (unchanged > 0) throw new Error(`${unchanged} golden cases already differ without any mistake`);
  const table: Record<string, { readonly "cases that notice": number; readonly "in the page": number }> = {};
  for (const [index, mutant] of MUTANTS.entries()) {
    const noticed = await countDifferent(cases, mutant, join(folder, String(index)));
    table[mutant.mistake] = { "cases that notice": noticed, "in the page": mutant.documented };
    if (noticed === 0) process.exitCode = 1;
  }
  console.log(`${cases.length} cases`);
  console.table(table);
} finally {
  rmSync(folder, { recursive: true });
}
