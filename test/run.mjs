// Runs the compiled tests with Node's own runner: `node test/run.mjs [part of a path ...]`. Every *.test.ts under services/, proto/, deploy/
// and test/ is found by itself. Temporary files go to a folder of this run, which must be empty afterwards: a test that leaves one
// behind fails the run.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const wanted = process.argv.slice(2);

const tests = ["proto", "services", "deploy", "test"]
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)))
  .filter((name) => name.endsWith(".test.ts") && (wanted.length === 0 || wanted.some((part) => name.includes(part))))
  .map((name) => join(root, "dist", name.replace(/\.ts$/, ".js")))
  .sort();

if (tests.length === 0) {
  console.error(`No test file matches ${wanted.join(", ")}.`);
  process.exit(1);
}

const scratch = mkdtempSync(join(tmpdir(), "maskline-tests-"));
const temporary = join(scratch, "tmp");
mkdirSync(temporary);
const env = { ...process.env, TMPDIR: temporary, NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --enable-source-maps`.trim() };
// A file that never ends, because a failure left something open, fails instead of holding up the others for ever.
const LONGEST_MS = 15 * 60_000;
const runner = ["--test", "--test-reporter=spec", `--test-timeout=${LONGEST_MS}`];
const { status } = spawnSync(process.execPath, [...runner, ...tests], { cwd: root, env, stdio: ["ignore", 1, 2] });
const left = readdirSync(temporary);
rmSync(scratch, { recursive: true, force: true });
if (left.length > 0) console.error(`Tests left temporary files behind: ${left.join(", ")}`);
process.exit(status !== 0 || left.length > 0 ? 1 : 0);
