// Prints the path of a Jaeger (v2) for the tests: JAEGER, the one on PATH or of Go, or the one built before; or else builds it, once, with Go
// (3 minutes of 4 cores). `--find` only looks. Ends with 1 and the reason when there is none.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

// The module's versions are v1's: its cmd/jaeger is Jaeger v2.
const MODULE = "github.com/jaegertracing/jaeger";
const VERSION = "v1.76.0";
const BUILD_MS = 15 * 60_000;

const root = process.env.MASKLINE_ROOT ?? fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, ".maskline", "brokers", "jaeger");
const name = process.platform === "win32" ? "jaeger.exe" : "jaeger";

const found = chosen() ?? places().find((file) => existsSync(file));
if (found === undefined && process.argv.includes("--find")) {
  console.error("jaeger is neither on PATH nor built; node test/brokers/get-jaeger.mjs builds it");
  process.exit(1);
}
console.log(found ?? built());

function chosen() {
  const file = process.env.JAEGER;
  if (!file || existsSync(file)) return file || undefined;
  console.error(`JAEGER names ${JSON.stringify(file)}, and there is no such file`);
  process.exit(1);
}

function places() {
  const { stdout } = spawnSync("go", ["env", "GOBIN", "GOPATH"], { encoding: "utf8" });
  const [bin = "", path = ""] = (stdout ?? "").trimEnd().split("\n");
  const ofGo = [bin, ...path.split(delimiter).map((entry) => entry && join(entry, "bin"))].filter((entry) => entry !== "");
  return [...(process.env.PATH ?? "").split(delimiter), ...ofGo, folder].map((place) => join(place, name));
}

/** `go install` takes no module with replace directives, so it is built from a module that requires what Jaeger's own does, at the same checksums. */
function built() {
  console.error(`Building ${MODULE} ${VERSION} with Go (once, a few minutes) ...`);
  const scratch = mkdtempSync(join(tmpdir(), "maskline-jaeger-"));
  try {
    const { Dir: sources } = JSON.parse(run(scratch, ["mod", "download", "-json", `${MODULE}@${VERSION}`]));
    const own = readFileSync(join(sources, "go.mod"), "utf8").replace(/^module .*$/m, "module maskline.test/jaeger");
    writeFileSync(join(scratch, "go.mod"), `${own}\nrequire ${MODULE} ${VERSION}\n`);
    copyFileSync(join(sources, "go.sum"), join(scratch, "go.sum"));
    mkdirSync(folder, { recursive: true });
    run(scratch, ["build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o", join(folder, name), `${MODULE}/cmd/jaeger`]);
    return join(folder, name);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function run(cwd, args) {
  // Flags that somebody set for a module of his own may not fit.
  const env = { ...process.env, GOFLAGS: "", GOWORK: "off" };
  const { status, error, stdout } = spawnSync("go", args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", 2], timeout: BUILD_MS });
  if (status === 0) return stdout;
  console.error(`jaeger could not be built: ${error?.message ?? `go ${args[0]} ended with ${status}`}`);
  rmSync(cwd, { recursive: true, force: true });
  process.exit(1);
}
