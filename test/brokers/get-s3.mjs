// Prints the path of an S3-compatible server for the tests: the one on PATH or of Go, the one fetched before, or else fetches it with Go, once.
// `--find` only looks. Ends with 1 and the reason when there is none.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const VERSION = "v1.8.0";
const PACKAGE = `github.com/versity/versitygw/cmd/versitygw@${VERSION}`;
const BUILD_MS = 15 * 60_000;

const root = process.env.MASKLINE_ROOT ?? fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, ".maskline", "brokers", `versitygw-${VERSION}`);
const name = process.platform === "win32" ? "versitygw.exe" : "versitygw";

const { stdout } = spawnSync("go", ["env", "GOBIN", "GOPATH"], { encoding: "utf8" });
const [bin, path] = (stdout ?? "").split("\n");
const ofGo = [bin, ...(path ?? "").split(delimiter).map((entry) => entry && join(entry, "bin"))].filter(Boolean);
const places = [...(process.env.PATH ?? "").split(delimiter), ...ofGo, folder];
const found = places.map((place) => join(place, name)).find((file) => existsSync(file));
if (found === undefined && process.argv.includes("--find")) {
  console.error("versitygw is neither on PATH nor fetched; node test/brokers/get-s3.mjs fetches it with Go");
  process.exit(1);
}
console.log(found ?? fetched());

function fetched() {
  mkdirSync(folder, { recursive: true });
  console.error(`Fetching ${PACKAGE} with Go (once, about a minute) ...`);
  const { status, error } = spawnSync("go", ["install", PACKAGE], {
    // Flags that somebody set for a module of his own may not fit.
    env: { ...process.env, GOBIN: folder, GOFLAGS: "" },
    stdio: ["ignore", 2, 2],
    timeout: BUILD_MS,
  });
  if (status === 0) return join(folder, name);
  console.error(`versitygw could not be fetched: ${error ? error.message : `go install ended with ${status}`}`);
  process.exit(1);
}
