import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { READERS } from "../docs/configuration-table.js";
import { projectRoot } from "../project-root.js";

const read = (file: string) => readFileSync(join(projectRoot, file), "utf8");
const dockerfile = read("deploy/Dockerfile");
const manifest = JSON.parse(read("package.json"));

/** What a module names in an import, whether at its head or later. */
const IMPORTED = /(?:^(?:import|export) (?:[\w*{}\s,$]+ from )?|\bimport\()"([^"]+)"/gm;

describe("the image", () => {
  it("has every package that the services and their messages import among the production dependencies", () => {
    const sources = ["services", "proto"].flatMap((folder) =>
      (readdirSync(join(projectRoot, folder), { recursive: true }) as string[])
        .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
        .map((name) => join(folder, name)),
    );
    const packages = new Map<string, string>();
    for (const source of sources) {
      for (const [, specifier = ""] of read(source).matchAll(IMPORTED)) {
        if (specifier.startsWith(".") || specifier.startsWith("node:")) continue;
        packages.set(
          specifier
            .split("/")
            .slice(0, specifier.startsWith("@") ? 2 : 1)
            .join("/"),
          source,
        );
      }
    }
    assert.ok(packages.size > 10);
    for (const [name, source] of packages) {
      if (builtinModules.includes(name)) continue;
      assert.ok(name in manifest.dependencies, `${source} imports ${name}, which is not installed with npm ci --omit=dev`);
    }
  });

  it("starts Node without a shell, so that it is told to stop, as a user by number", () => {
    const last = (word: string) => dockerfile.slice(dockerfile.lastIndexOf(`\n${word} `)).split("\n")[1];
    assert.deepEqual(JSON.parse(last("ENTRYPOINT")?.slice("ENTRYPOINT ".length) ?? ""), [
      "node",
      "--enable-source-maps",
      "/app/dist/services/main.js",
    ]);
    assert.match(last("USER") ?? "", /^USER [1-9]\d*:[1-9]\d*$/);
    assert.equal(manifest.bin.maskline, "dist/services/main.js");
  });

  it("takes its packages from the lockfile, and a base image that does not move", () => {
    assert.deepEqual(dockerfile.match(/npm (?:ci|install|i)\b.*/g), [
      "npm ci --no-audit --no-fund",
      "npm ci --omit=dev --no-audit --no-fund",
    ]);
    assert.match(dockerfile, /\nARG NODE_IMAGE=node:\d+\.\d+\.\d+-[a-z-]+\n/);
    for (const [, image] of dockerfile.matchAll(/^FROM (\S+)/gm)) assert.equal(image, "$" + "{NODE_IMAGE}");
  });
});

describe("deploy/compose.yaml", () => {
  const { services, volumes } = parse(read("deploy/compose.yaml"), { merge: true });

  it("gives each role an environment that it knows, and leads only to services that are there", () => {
    for (const role of ["gateway", "filter", "rasterizer", "packager"]) {
      const { command, environment } = services[role];
      assert.deepEqual(command, [role]);
      const known = new Set(
        Object.values({ ...READERS.every, ...READERS[role], ...READERS.gateway, ...READERS.packager }).map(({ env }) => env),
      );
      for (const [name, value] of Object.entries(environment)) {
        assert.ok(known.has(name) || /^OTEL_[A-Z_]+$/.test(name), `${role} is given ${name}, which nobody reads`);
        const host = /^(?:\w+:\/\/)?([a-z]+):\d+$/.exec(String(value))?.[1];
        if (host !== undefined) assert.ok(host in services, `${name} leads to ${host}`);
      }
    }
  });

  it("has the images of this version, and every volume that it mounts", () => {
    for (const [name, service] of Object.entries<{ image: string; volumes?: string[] }>(services)) {
      if (service.image.startsWith("maskline")) assert.equal(service.image.split(":")[1], manifest.version, name);
      for (const volume of service.volumes ?? []) assert.ok((volume.split(":")[0] ?? "") in volumes, `${name}: ${volume}`);
    }
  });
});
