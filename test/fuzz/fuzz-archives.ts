/** Mutated exports through the gateway: freezing and reading back, and the survey of `maskline convert`. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTooLongRow } from "../../proto/too-long-row.js";
import { type ExportLimits, freezeExport } from "../../services/gateway/export-store.js";
import { surveyExport } from "../../services/gateway/export-survey.js";
import { HubFailure } from "../../services/gateway/hub.js";
import { readRows } from "../../services/gateway/read-rows.js";
import { type ArchiveMutant, archiveMutant } from "./archive-mutants.js";
import { dice } from "./dice.js";
import { Ends, type Heartbeat, type Tally } from "./tally.js";

const LIMITS: ExportLimits = { maxEntryBytes: 4 * 2 ** 20, maxRatio: 100, maxLineBytes: 16_384 };
const MOST_REASON_CHARACTERS = 1_000;

/** Tries mutants `from` to `end` of the seed. @throws Error that names the first mutant that breaks a promise. */
export async function fuzzArchives(seed: number, from: number, end: number, beat: Heartbeat): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), "maskline-fuzz-"));
  const ends = new Ends();
  try {
    for (let number = from; number < end; number++) {
      beat(number);
      const mutant = archiveMutant(dice(seed, "archives", number));
      const startedAt = performance.now();
      try {
        ends.add(await tryArchive(mutant, folder));
      } catch (cause) {
        throw new Error(`mutant archives/${number} of seed ${seed} (${mutant.made})`, { cause });
      }
      ends.took(number, performance.now() - startedAt);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return ends.tally();
}

async function tryArchive({ file, rows, made }: ArchiveMutant, folder: string): Promise<string> {
  const [downloaded, target] = [join(folder, "download"), join(folder, "frozen.ndjson")];
  const { signal } = new AbortController();
  await writeFile(downloaded, file);
  const surveyed = await reasonOf(() => surveyExport(downloaded, LIMITS, signal));
  const frozen = await reasonOf(() => freezeExport(downloaded, target, LIMITS, signal));
  const left = (await readdir(folder)).sort();
  if (typeof frozen === "string") {
    assert.equal(rows, undefined, `a sound export is refused: ${frozen}`);
    assert.equal(surveyed, frozen, "both passes say the same");
    assert.deepEqual(left, ["download"], "nothing is left of an export that is refused");
    return `refused: ${made.split(", ")[1]}`;
  }
  assert.ok(typeof surveyed !== "string", `the survey refuses what can be frozen: ${String(surveyed)}`);
  assert.deepEqual(left, ["download", "frozen.ndjson", "frozen.ndjson.offsets"]);
  const text = await readFile(target);
  assert.equal(text.length, frozen.bytes);
  const read: string[] = [];
  for await (const batch of readRows(target, { fromRow: 0 }, signal)) {
    for (const { index, row } of batch) {
      assert.equal(index, read.length);
      assert.ok(row.length > 0 && (row.length <= LIMITS.maxLineBytes || parseTooLongRow(row)), `a row of ${row.length} bytes`);
      read.push(row.toString());
    }
  }
  assert.equal(read.length, frozen.rows, "as many rows as were counted");
  if (rows) {
    const expected = rows.map((row) => JSON.parse(row));
    assert.deepEqual(
      read.map((row) => JSON.parse(row)),
      expected,
    );
  }
  await Promise.all([rm(target), rm(`${target}.offsets`)]);
  return `frozen: ${made.split(", ")[1]}`;
}

/** What the work gives, or the reason that a user is told; every other failure is a finding. */
async function reasonOf<T>(work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HubFailure)) throw error;
    assert.ok(error.message.length > 0 && error.message.length <= MOST_REASON_CHARACTERS, `a reason of ${error.message.length} characters`);
    return error.message;
  }
}
