// Checks the chart: `node deploy/helm/check.mjs` lints it strictly, renders it with every file of values under maskline/ci/, checks what comes out
// against the schemas under deploy/kubernetes-schemas/, and compares it with what is committed under rendered/. `--write` renders anew.
// Builds helm and kubeconform first where they are missing and Go is there. Where they can not be had it says so, and checks nothing; with
// REQUIRE=helm, or CI=true, that is a failure.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findTool } from "./tools.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
const chart = join(folder, "maskline");
const rendered = join(folder, "rendered");
const schemas = fileURLToPath(new URL("../kubernetes-schemas", import.meta.url));
const KUBERNETES = "1.34.2";

const write = process.argv.includes("--write");
const required = process.env.CI === "true" || (process.env.REQUIRE ?? "").split(",").some((name) => name.trim() === "helm");
const tools = () => ["helm", "kubeconform"].map((name) => findTool(name));
if (tools().includes(undefined)) spawnSync(process.execPath, [join(folder, "get-tools.mjs")], { stdio: ["ignore", 2, 2] });
const [helm, kubeconform] = tools();
if (helm === undefined || kubeconform === undefined) {
  const missing = `${helm ? "kubeconform" : "helm"} can not be had, see above`;
  console.error(
    required
      ? `The chart can not be checked, and must be: ${missing}.`
      : `The chart is NOT checked: ${missing}. REQUIRE=helm makes that a failure.`,
  );
  process.exit(required ? 1 : 0);
}

const cases = readdirSync(join(chart, "ci")).map((file) => file.replace(/-values\.yaml$/, ""));
let failures = 0;
for (const name of cases) check(name);
for (const file of readdirSync(rendered)) if (!cases.includes(file.replace(/\.yaml$/, ""))) forgotten(file);
if (failures > 0) process.exit(1);
console.log(`The chart is right, with ${cases.length} files of values: ${cases.join(", ")}.`);

function check(name) {
  const values = ["--values", join(chart, "ci", `${name}-values.yaml`)];
  const lint = run(helm, ["lint", "--strict", "--quiet", chart, ...values]);
  const text = run(helm, ["template", "maskline", chart, "--namespace", "maskline", "--kube-version", KUBERNETES, ...values]);
  if (lint === undefined || text === undefined) return;
  const location = `${schemas}/{{.ResourceKind}}{{.KindSuffix}}.json`;
  if (run(kubeconform, ["-strict", "-kubernetes-version", KUBERNETES, "-schema-location", location, "-"], text) === undefined) return;
  const file = join(rendered, `${name}.yaml`);
  // Empty lines come and go with conditions, and mean nothing.
  const wanted = text.replace(/\n\s*\n/g, "\n");
  if (write) writeFileSync(file, wanted);
  else if (contentOf(file) !== wanted) {
    fail(`${file} is not what the chart renders; look at the difference, and run node deploy/helm/check.mjs --write:`);
    spawnSync("diff", ["-u", file, "-"], { input: wanted, stdio: ["pipe", 2, 2] });
  }
}

function forgotten(file) {
  if (write) rmSync(join(rendered, file));
  else fail(`rendered/${file} comes from no file of values any more; delete it, or run node deploy/helm/check.mjs --write`);
}

/** What the program printed; undefined when it failed, which is told. */
function run(program, args, input = "") {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, encoding: "utf8", maxBuffer: 2 ** 26 });
  if (status === 0) return stdout;
  fail(`${program} ${args.join(" ")} failed:\n${error?.message ?? ""}${stdout}${stderr}`);
  return undefined;
}

function contentOf(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function fail(text) {
  console.error(text);
  failures += 1;
}
