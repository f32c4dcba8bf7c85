/**
 * `npm run rules [-- rule ...]`: takes each promise of docs/delivery.md out of a copy of the code, one at a time, and demands that the tests
 * which hold it fail. Prints a table; exits with 1 when a test did not notice, or a mutant does not fit today's code.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describeError } from "../../services/runtime/errors.js";
import { projectRoot } from "../project-root.js";
import type { Mutant, NamedTest } from "./mutant.js";
import { MUTANTS } from "./mutants.js";
import { openWorkbench, type Workbench } from "./workbench.js";

interface Verdict {
  readonly rule: number;
  readonly "taken out": string;
  readonly noticed: string;
  readonly seconds: number;
}

/** A longer line of the table would wrap in a usual terminal. */
const TABLE_TEXT = 60;

const wanted = process.argv.slice(2).map(Number);
const mutants = MUTANTS.filter(({ rule }) => wanted.length === 0 || wanted.includes(rule));
if (mutants.length === 0 || wanted.some((rule) => !MUTANTS.some((mutant) => mutant.rule === rule))) {
  console.error(`rules are numbers from 1 to 20, not ${process.argv.slice(2).join(", ")}`);
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), "maskline-rules-"));
// Also when it is interrupted: the copies are large.
process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

/** Half of the cores: each run starts processes of its own, and tests that wait for each other must not starve. */
const benches: Workbench[] = [];
for (let bench = 0; bench < Math.max(1, Math.min(mutants.length, availableParallelism() / 2)); bench++) {
  benches.push(await openWorkbench(projectRoot, join(scratch, String(bench))));
}

await demandThatAllPass();
const verdicts: Verdict[] = [];
const waiting = mutants.values();
await Promise.all(benches.map(judgeNext));
console.table(verdicts.toSorted((a, b) => a.rule - b.rule));
console.log(`${verdicts.length} mutants, ${process.exitCode === 1 ? "and not every one was noticed" : "every one was noticed"}`);

/** What fails without any change notices nothing. */
async function demandThatAllPass(): Promise<void> {
  const tests = [...new Map(mutants.flatMap(({ noticedBy }) => noticedBy).map((test) => [`${test.file} ${test.title}`, test])).values()];
  let others: readonly NamedTest[] = tests;
  let output = "";
  // Twice: on a busy machine a test may wait in vain for what comes too late.
  for (let tries = 0; tries < 2 && others.length > 0; tries++) {
    const outcome = await benches[0]?.run(others);
    others = others.filter((test) => !outcome?.passed.includes(test));
    output = outcome?.output ?? "";
  }
  if (others.length === 0) return;
  console.error(output);
  console.error(`without any change these tests do not pass, or do not run:\n${others.map(inWords).join("\n")}`);
  process.exit(1);
}

async function judgeNext(bench: Workbench): Promise<void> {
  for (const mutant of waiting) {
    const startedAt = performance.now();
    const noticed = await judge(mutant, bench);
    const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(1));
    console.log(`rule ${mutant.rule}, without ${mutant.without}: ${noticed} (${seconds} s)`);
    verdicts.push({ rule: mutant.rule, "taken out": shortened(mutant.without), noticed: shortened(noticed), seconds });
  }
}

async function judge({ changes, noticedBy }: Mutant, bench: Workbench): Promise<string> {
  try {
    const { failed, output } = await bench.withChanges(changes, () => bench.run(noticedBy));
    const blind = noticedBy.filter((test) => !failed.has(test));
    for (const [test, error] of failed) console.log(`  ${inWords(test)}: ${error}`);
    if (blind.length === 0) return `by ${[...new Set(noticedBy.map(({ file }) => basename(file)))].join(", ")}`;
    process.exitCode = 1;
    console.error(output);
    return `NOT by ${blind.map(inWords).join(", ")}`;
  } catch (error) {
    process.exitCode = 1;
    return `NOT TRIED: ${describeError(error)}`;
  }
}

function shortened(text: string): string {
  return text.length <= TABLE_TEXT ? text : `${text.slice(0, TABLE_TEXT - 3)}...`;
}

function inWords({ file, title }: NamedTest): string {
  return `${file} "${title}"`;
}
