// Generated code is committed; this regenerates it and fails when the commit differs from what the sources give.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const generated = ["proto/gen"];

execFileSync("npm", ["run", "--silent", "gen"], { cwd: root, stdio: "inherit" });
const changed = execFileSync("git", ["status", "--porcelain", "--", ...generated], { cwd: root, encoding: "utf8" });
if (changed !== "") {
  console.error(`Generated code is not what its sources give; run "npm run gen" and commit:\n${changed}`);
  process.exit(1);
}
console.log("Generated code is up to date.");
