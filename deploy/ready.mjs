// Makes a checkout ready to run: installs what package-lock.json asks for when it is not there, and compiles what has changed.
// Plain JavaScript, for it runs before anything is installed. Needs the network only while something is missing.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 20)) {
  console.error(`Maskline needs Node 20.20 or newer; this is ${process.version}.`);
  process.exit(1);
}

install();
compile();

function install() {
  const stamp = join(root, "node_modules", ".maskline-installed");
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .update(`${process.platform} ${process.arch}`)
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  console.error("Installing dependencies (once; npm ci) ...");
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], "Installing failed: npm ci needs the network the first time.");
  writeFileSync(stamp, wanted);
}

function compile() {
  run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", root], "Compiling failed.");
}

function run(command, args, failure) {
  // npm sets these for its scripts; an npm inside npm must not inherit the outer one's command.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(command|lifecycle)/.test(name)));
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  if (status === 0) return;
  console.error(error ? `${failure} (${error.message})` : failure);
  process.exit(1);
}
