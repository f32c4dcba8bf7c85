// The tools that check the chart: which versions, and where they are. They are Go programs; `node deploy/helm/get-tools.mjs` builds them.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Pinned: another helm renders other white space, and the rendered files are compared. */
export const TOOLS = {
  helm: { module: "helm.sh/helm/v4/cmd/helm", version: "v4.2.4" },
  kubeconform: { module: "github.com/yannh/kubeconform/cmd/kubeconform", version: "v0.8.0" },
};

/** Where Go puts the programs it builds; undefined without Go. */
export function goBin() {
  try {
    const [bin, path] = execFileSync("go", ["env", "GOBIN", "GOPATH"], { encoding: "utf8" }).split("\n");
    return bin || join(path.split(delimiter)[0], "bin");
  } catch {
    return undefined;
  }
}

/** The program's file, where Go puts it (in the pinned version, where get-tools.mjs has built it) or on PATH; undefined where there is none. */
export function findTool(name) {
  const folders = [goBin(), ...(process.env.PATH ?? "").split(delimiter)];
  return folders
    .filter((folder) => folder)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}
