// Builds helm and kubeconform in the pinned versions into Go's bin folder, and prints where they are. Needs Go; what is there already in the
// right version is left alone. `--find` only looks, on PATH too, and prints what there is.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { findTool, goBin, TOOLS } from "./tools.mjs";

if (process.argv.includes("--find")) {
  for (const name of Object.keys(TOOLS)) console.log(findTool(name) ?? "");
  process.exit(0);
}
const bin = goBin();
if (bin === undefined) {
  console.error("helm and kubeconform are built with Go, which is not there: install Go, or the two programs, and put them on PATH.");
  process.exit(1);
}
for (const [name, { module, version }] of Object.entries(TOOLS)) {
  const file = join(bin, name);
  if (versionOf(file) !== version) {
    console.error(`Building ${name} ${version} ...`);
    const { status } = spawnSync("go", ["install", `${module}@${version}`], { stdio: ["ignore", 2, 2] });
    if (status !== 0) {
      console.error(`${name} could not be built: go install ${module}@${version} failed, see above.`);
      process.exit(1);
    }
  }
  console.log(file);
}

/** The version of the module that a Go program was built from; undefined when there is no such program. */
function versionOf(file) {
  if (!existsSync(file)) return undefined;
  return /^\tmod\t\S+\t(\S+)/m.exec(execFileSync("go", ["version", "-m", file], { encoding: "utf8" }))?.[1];
}
