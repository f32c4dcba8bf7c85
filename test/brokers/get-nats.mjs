// Prints the path of a nats-server for the tests: NATS_SERVER, the one on PATH or of Go, the one fetched before, or else fetches it, once,
// with Go or from Debian's packages. `--find` only looks. Ends with 1 and the reason when there is none.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const VERSION = "v2.15.2";
const PACKAGE = `github.com/nats-io/nats-server/v2@${VERSION}`;
const FETCH_MS = 15 * 60_000;

const root = process.env.MASKLINE_ROOT ?? fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, ".maskline", "brokers", "nats-server");
const name = process.platform === "win32" ? "nats-server.exe" : "nats-server";

const found = chosen() ?? places().find((file) => existsSync(file));
if (found === undefined && process.argv.includes("--find")) {
  console.error("nats-server is neither on PATH nor fetched; node test/brokers/get-nats.mjs fetches it");
  process.exit(1);
}
console.log(found ?? fetched());

function chosen() {
  const file = process.env.NATS_SERVER;
  if (!file || existsSync(file)) return file || undefined;
  console.error(`NATS_SERVER names ${JSON.stringify(file)}, and there is no such file`);
  process.exit(1);
}

function places() {
  const { stdout } = spawnSync("go", ["env", "GOBIN", "GOPATH"], { encoding: "utf8" });
  const [bin = "", path = ""] = (stdout ?? "").trimEnd().split("\n");
  const ofGo = [bin, ...path.split(delimiter).map((entry) => entry && join(entry, "bin"))].filter((entry) => entry !== "");
  return [...(process.env.PATH ?? "").split(delimiter), ...ofGo, folder].map((place) => join(place, name));
}

function fetched() {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  const reason = fromGo() && fromDebian(file);
  if (!reason) return file;
  console.error(`nats-server could not be fetched: ${reason}`);
  process.exit(1);
}

/** Undefined when it worked, else why not. */
function fromGo() {
  console.error(`Fetching ${PACKAGE} with Go (once, about a minute) ...`);
  // Flags that somebody set for a module of his own may not fit.
  return failure("go", ["install", PACKAGE], { env: { ...process.env, GOBIN: folder, GOFLAGS: "" } });
}

/** An older one; the adapter works with it as well. Needs no rights: the package is unpacked, not installed. */
function fromDebian(file) {
  console.error("Fetching nats-server from Debian's packages ...");
  const scratch = mkdtempSync(join(folder, "unpack-"));
  try {
    const download = failure("apt-get", ["download", "nats-server"], { cwd: scratch });
    if (download) return download;
    const unpack = failure("dpkg-deb", ["-x", ...readdirSync(scratch), "."], { cwd: scratch });
    if (unpack) return unpack;
    renameSync(join(scratch, "usr", "sbin", "nats-server"), file);
    return undefined;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function failure(command, args, options) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", 2, 2], timeout: FETCH_MS, ...options });
  return status === 0 ? undefined : (error?.message ?? `${command} ended with ${status}`);
}
