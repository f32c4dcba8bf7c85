/** A copy of the tree that mutants are put into, compiled and tested in: the checkout itself is never touched. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { text } from "node:stream/consumers";
import { type Change, changed, type NamedTest } from "./mutant.js";

export interface Workbench {
  /** Puts the changes into the copy, compiles it, does the work, and puts back what was there. */
  withChanges<T>(changes: readonly Change[], work: () => Promise<T>): Promise<T>;
  /** Runs these tests and no others. */
  run(tests: readonly NamedTest[]): Promise<Outcome>;
}

/** What became of the named tests. */
export interface Outcome {
  readonly passed: readonly NamedTest[];
  /** With the beginning of what the test said. */
  readonly failed: ReadonlyMap<NamedTest, string>;
  /** What the runner said. */
  readonly output: string;
}

/** Neither sources nor what tests read. */
const LEFT_OUT = new Set(["node_modules", ".git", "dist", "out", "data"]);

/** A test that hangs has noticed: that nothing may hang is what most rules are for. */
const TEST_MS = 60_000;
const RUN_MS = 150_000;

/** Copies the tree at `root` to `folder` and compiles it there. */
export async function openWorkbench(root: string, folder: string): Promise<Workbench> {
  const isWanted = (path: string) => !LEFT_OUT.has(relative(root, path).split(sep)[0] ?? "");
  cpSync(root, folder, { recursive: true, filter: isWanted });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  await compile(folder);
  return {
    async withChanges(changes, work) {
      const before = new Map(changes.map(({ file }) => [file, readFileSync(join(folder, file), "utf8")]));
      try {
        for (const change of changes) {
          const path = join(folder, change.file);
          writeFileSync(path, changed(readFileSync(path, "utf8"), change));
        }
        await compile(folder);
        return await work();
      } finally {
        for (const [file, source] of before) writeFileSync(join(folder, file), source);
      }
    },
    run: (tests) => run(folder, tests),
  };
}

async function compile(folder: string): Promise<void> {
  const { code, output } = await node(folder, [join("node_modules", "typescript", "bin", "tsc"), "-p", "."], RUN_MS);
  if (code !== 0) throw new Error(`it does not compile:\n${output}`);
}

async function run(folder: string, tests: readonly NamedTest[]): Promise<Outcome> {
  const files = [...new Set(tests.map((test) => join("dist", compiled(test))))];
  const patterns = tests.map(({ title }) => `--test-name-pattern=${escaped(title)}`);
  const options = ["--enable-source-maps", "--test", "--test-reporter=tap", "--test-force-exit", `--test-timeout=${TEST_MS}`];
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  try {
    const { output } = await node(folder, [...options, ...patterns, ...files], RUN_MS, temporary);
    const results = resultsIn(output);
    const of = (test: NamedTest) => results.filter(({ title }) => title.includes(test.title));
    const failed = new Map<NamedTest, string>();
    for (const test of tests) {
      // A mutant may end the whole process of a file, before anybody can say which test it was.
      const own = of(test).length > 0 ? of(test) : results.filter(({ title }) => title.endsWith(compiled(test)));
      const failure = own.find(({ error }) => error !== undefined);
      if (failure) failed.set(test, failure.error ?? "");
    }
    return { output, failed, passed: tests.filter((test) => !failed.has(test) && of(test).length > 0) };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function compiled({ file }: NamedTest): string {
  return file.replace(/\.ts$/, ".js");
}

interface Result {
  readonly title: string;
  /** Undefined: it passed. */
  readonly error: string | undefined;
}

/** The Test Anything Protocol has a line for every test and suite; those that were left out by their name are none. */
function resultsIn(output: string): Result[] {
  const lines = output.split("\n");
  return lines.flatMap((line, at) => {
    const [, result, escapedTitle] = /^ *(ok|not ok) \d+ - (.*?)(?: # (?:time|cancelled).*)?$/.exec(line) ?? [];
    if (escapedTitle === undefined || / # (SKIP|TODO)\b/.test(escapedTitle)) return [];
    const title = escapedTitle.replaceAll(/\\([#\\])/g, "$1");
    return [{ title, error: result === "ok" ? undefined : errorIn(lines.slice(at + 1, at + 20)) }];
  });
}

/** Of the block behind such a line: `error: 'text'`, or text below `error: |-`. */
function errorIn(block: readonly string[]): string {
  const at = block.findIndex((line) => /^ *error: /.test(line));
  const [, said = ""] = /error: (?:\|-|'?(.*?)'?)$/.exec(block[at] ?? "") ?? [];
  return said === "" ? (block[at + 1] ?? "").trim() : said;
}

function escaped(title: string): string {
  return title.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** Runs Node in a process group of its own: a mutant may leave processes behind, which end with it. */
async function node(folder: string, args: readonly string[], ms: number, temporary?: string) {
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, MASKLINE_ROOT: _root, ...env } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...env, ...(temporary === undefined ? {} : { TMPDIR: temporary }) },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const endGroup = () => {
    try {
      process.kill(-(child.pid ?? Number.NaN), "SIGKILL");
    } catch {
      // All of it has ended by itself.
    }
  };
  process.once("exit", endGroup);
  const timer = setTimeout(endGroup, ms);
  try {
    const ended = once(child, "exit");
    ended.then(endGroup, () => undefined);
    const [[code], ...said] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    return { code: code as number | null, output: said.join("") };
  } finally {
    clearTimeout(timer);
    process.removeListener("exit", endGroup);
  }
}
