import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { projectRoot } from "../project-root.js";

/** A file that breaks each rule, and one that looks alike and is allowed. */
const CASES: Readonly<Record<string, { readonly breaks: [file: string, code: string]; readonly allowed: [file: string, code: string] }>> = {
  "environment-is-read-once": {
    breaks: ["services/filter/x.ts", "export const home = process.env.HOME;"],
    allowed: ["services/main.ts", "export const home = process.env.HOME;"],
  },
  "nothing-imports-test": {
    breaks: ["services/filter/x.ts", 'import "../../test/golden/a.js";'],
    allowed: ["services/filter/x.test.ts", 'import "../../test/golden/a.js";'],
  },
  "one-adapter-per-sdk": {
    breaks: ["services/packager/x.ts", 'import sharp from "sharp"; sharp();'],
    allowed: ["services/rasterizer/encode-sharp.ts", 'import sharp from "sharp"; sharp();'],
  },
  "only-mains-wire": {
    breaks: ["services/filter/x.ts", 'import "./main.js";'],
    allowed: ["services/all.ts", 'import "./filter/main.js";'],
  },
  "proto-imports-nothing": {
    breaks: ["proto/x.ts", 'import "../services/runtime/errors.js";'],
    allowed: ["proto/x.ts", 'import "./outcomes.js";'],
  },
  "pure-files-do-no-io": {
    breaks: ["services/filter/rules.ts", 'import "node:fs/promises";'],
    allowed: ["services/filter/rules.ts", 'import "./classes.js";'],
  },
  "runtime-knows-no-service": {
    breaks: ["services/runtime/x.ts", 'import "../gateway/hub.js";'],
    allowed: ["services/runtime/x.ts", 'import "../../proto/gen/maskline/v1/gateway.js";'],
  },
  "services-never-meet": {
    breaks: ["services/packager/x.ts", 'import type { A } from "../gateway/hub.js"; export type B = A;'],
    allowed: ["services/packager/x.ts", 'import type { A } from "../runtime/errors.js"; export type B = A;'],
  },
  "steps-know-only-ports": {
    breaks: ["services/filter/filter-asset.ts", 'import "../runtime/http.js";'],
    allowed: ["services/filter/filter-asset.ts", 'import type { Step } from "../runtime/step.js"; export type S = Step;'],
  },
};

const biome = join(projectRoot, "node_modules/@biomejs/biome/bin/biome");
const rules = join(projectRoot, "deploy/lint");

describe("the import rules", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "maskline-lint-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** What the one rule says about the one file. */
  async function lint(rule: string, [file, code]: [string, string]): Promise<string> {
    const project = await mkdtemp(join(folder, "p-"));
    await mkdir(dirname(join(project, file)), { recursive: true });
    await writeFile(join(project, file), `${code}\n`);
    const config = { root: true, plugins: [join(rules, `${rule}.grit`)], linter: { rules: { preset: "none" } } };
    await writeFile(join(project, "biome.json"), JSON.stringify(config));
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [biome, "lint", "."], { cwd: project }).catch(
      (failed: { stdout: string; stderr: string }) => failed,
    );
    return stdout + stderr;
  }

  it("each have a case here", async () => {
    const files = (await readdir(rules)).map((name) => name.replace(".grit", ""));
    assert.deepEqual(files.sort(), Object.keys(CASES).sort());
  });

  it("an SDK that is imported only when it is used counts too", async () => {
    const code = 'export const sdk = await import("@aws-sdk/client-s3");';
    assert.match(await lint("one-adapter-per-sdk", ["services/filter/x.ts", code]), /Found 1 error/);
    assert.doesNotMatch(await lint("one-adapter-per-sdk", ["services/runtime/blob/s3.ts", code]), /×/);
  });

  it("an SDK that several files share is theirs alone", async () => {
    const code = 'import { connect } from "@nats-io/transport-node"; connect();';
    assert.match(await lint("one-adapter-per-sdk", ["services/runtime/bus/x.ts", code]), /Found 1 error/);
    assert.doesNotMatch(await lint("one-adapter-per-sdk", ["services/runtime/bus/nats/link.ts", code]), /×/);
  });

  for (const [sdk, adapter] of [
    ["image-size/types/jpg", "services/filter/image-size.ts"],
    ["dicom-parser", "services/filter/dicom-size.ts"],
    ["ipaddr.js", "services/runtime/address-rules.ts"],
    ["kafkajs", "services/runtime/bus/kafka/kafkajs.ts"],
    ["@opentelemetry/api", "services/runtime/telemetry/sdk.ts"],
  ] as const) {
    it(`${sdk} is imported in ${adapter} alone`, async () => {
      assert.match(await lint("one-adapter-per-sdk", ["services/filter/x.ts", `import "${sdk}";`]), /Found 1 error/);
      assert.doesNotMatch(await lint("one-adapter-per-sdk", [adapter, `import "${sdk}";`]), /×/);
    });
  }

  for (const [rule, { breaks, allowed }] of Object.entries(CASES)) {
    it(`${rule} refuses ${breaks[0]} with its reason, and not ${allowed[0]}`, async () => {
      const refusal = await lint(rule, breaks);
      assert.match(refusal, /×/);
      assert.match(refusal, /Found 1 error/);
      const silence = await lint(rule, allowed);
      assert.doesNotMatch(silence, /×/);
      assert.match(silence, /Checked \d+ file/);
    });
  }
});
