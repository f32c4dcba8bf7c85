// Goes through deploy/Dockerfile without Docker: does what its stages copy and run in folders of its own, with npm's real commands, and then
// uses what came out as the image's user would. Finds what the image lacks: a development dependency that is needed when running, a file
// that is not copied, a folder that must be written to. Needs npm's registry (or its cache), about a minute, and 1.5 GB of disk.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const context = fileURLToPath(new URL("..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "maskline-image-"));
// What the image's user sees must not depend on who runs this.
execFileSync("chmod", ["755", scratch]);
try {
  const stages = build(instructions(readFileSync(join(context, "deploy/Dockerfile"), "utf8")));
  checkImports(join(stages.runtime, "app"));
  checkRuns(join(stages.runtime, "app"));
  checkSimulator(join(stages.simulator, "app"));
  console.log("The image holds what it needs.");
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** The Dockerfile's instructions, continued lines joined, comments left out. */
function instructions(text) {
  const lines = text.replace(/\\\n/g, " ").split("\n");
  return lines
    .filter((line) => /^[A-Z]/.test(line))
    .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1).trim()]);
}

/** Runs the instructions; returns each stage's root folder by its name. */
function build(all) {
  const stages = {};
  let root;
  let folder = "";
  for (const [word, rest] of all) {
    if (word === "FROM") {
      root = join(scratch, rest.split(" AS ")[1]);
      stages[rest.split(" AS ")[1]] = root;
      mkdirSync(root);
    } else if (word === "WORKDIR") {
      folder = join(root, rest);
      mkdirSync(folder, { recursive: true });
    } else if (word === "COPY") copy(rest.split(/\s+/), stages, folder);
    else if (word === "RUN") command(rest, folder);
  }
  return stages;
}

function copy(words, stages, folder) {
  const options = words.filter((word) => word.startsWith("--"));
  const paths = words.filter((word) => !word.startsWith("--"));
  const target = paths.pop();
  const stage = options.find((option) => option.startsWith("--from="))?.slice("--from=".length);
  for (const path of paths) {
    const from = stage === undefined ? join(context, path) : join(stages[stage], path);
    if (stage === undefined && !isSent(path)) throw new Error(`COPY ${path}: .dockerignore leaves it out`);
    cpSync(from, target.endsWith("/") ? join(folder, path) : join(folder, target), { recursive: true, verbatimSymlinks: true });
  }
}

/** Whether .dockerignore lets the path into the build. */
function isSent(path) {
  return readFileSync(join(context, ".dockerignore"), "utf8")
    .split("\n")
    .includes(`!${path.split("/")[0]}`);
}

/** npm, node and find work in the stage's folder; the rest sets up the image's own system, which there is none of here. */
function command(line, folder) {
  if (!/^(npm|node|find) /.test(line)) return;
  console.log(`${folder.slice(scratch.length)}: ${line}`);
  // npm's variables of an npm around this one would lead it elsewhere.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(command|lifecycle|config_local)/.test(name)));
  const { status } = spawnSync(line, { cwd: folder, env, shell: true, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`RUN ${line} ended with ${status}`);
}

/** Every package that a module names is there: also those that are loaded only when they are needed. */
function checkImports(app) {
  const missing = new Set();
  for (const name of readdirSync(join(app, "dist"), { recursive: true }).filter((file) => file.endsWith(".js"))) {
    const file = join(app, "dist", name);
    const require = createRequire(file);
    const text = readFileSync(file, "utf8");
    for (const [, specifier] of text.matchAll(/(?:^(?:import|export) (?:[\w*{}\s,$]+ from )?|\bimport\()"([^"]+)"/gm)) {
      try {
        if (specifier.startsWith(".")) statSync(new URL(specifier, `file://${file}`));
        else require.resolve(specifier);
      } catch (error) {
        // A package without an entry for require is there all the same.
        if (error.code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") missing.add(`${specifier} (imported in dist/${name})`);
      }
    }
  }
  if (missing.size > 0) throw new Error(`the image lacks ${[...missing].join(", ")}`);
}

/** The executable as the image's user: it converts the sample, which takes all four services, and reads its environment. */
function checkRuns(app) {
  const { entrypoint, user } = lastStage();
  const [program, ...args] = entrypoint.map((word) => word.replace(/^\/app/, app));
  const work = mkdtempSync(join(scratch, "work-"));
  const identity = process.getuid?.() === 0 ? { uid: user, gid: user } : {};
  if (identity.uid !== undefined) execFileSync("chown", [String(user), work]);
  const sample = join(context, "test/sample-project");
  for (const file of ["export.ndjson", "project.json"]) cpSync(join(sample, file), join(work, file));
  const run = (words, env = {}) =>
    spawnSync(program === "node" ? process.execPath : program, [...args, ...words], {
      ...identity,
      cwd: app,
      env: { PATH: process.env.PATH, NODE_ENV: "production", TMPDIR: work, DATA_DIR: join(work, "data"), ...env },
      encoding: "utf8",
    });
  const out = join(work, "masks.zip");
  const converted = run(["convert", join(work, "export.ndjson"), "--ontology", join(work, "project.json"), "--out", out]);
  if (converted.status !== 0 || !existsSync(out)) throw new Error(`convert failed in the image:\n${converted.stdout}${converted.stderr}`);
  for (const role of ["gateway", "filter", "rasterizer", "packager", "all"]) {
    const { status, stderr } = run([role], { BUS: "pigeons" });
    if (status !== 2 || !/BUS is "pigeons"/.test(stderr)) throw new Error(`${role} does not read its environment in the image:\n${stderr}`);
  }
}

/** Entry point and user of the image. */
function lastStage() {
  const all = instructions(readFileSync(join(context, "deploy/Dockerfile"), "utf8"));
  const last = (word) => all.findLast(([name]) => name === word)[1];
  return { entrypoint: JSON.parse(last("ENTRYPOINT")), user: Number(last("USER").split(":")[0]) };
}

/** The simulator starts on the project that is in its image. */
function checkSimulator(app) {
  const { stdout, status } = spawnSync(process.execPath, ["dist/test/hub-simulator/main.js", "--project=test/sample-project"], {
    cwd: app,
    input: '{"close": true}\n',
    encoding: "utf8",
  });
  if (status !== 0 || !stdout.includes('"ready"')) throw new Error(`the simulator does not start in its image: ${stdout}`);
}
