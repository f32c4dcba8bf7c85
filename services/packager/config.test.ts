import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../runtime/config.js";
import { packagerIdOfHost, packagerKeys } from "./config.js";

test("all keys have defaults that are allowed", () => {
  assert.deepEqual(readConfig(packagerKeys, {}), {
    packagerId: "",
    archivesAtOnce: 2,
    archiveLimit: 4.5 * 2 ** 30,
    uploadTimeoutMs: 120_000,
    uploadAttempts: 10,
    unknownKeepMs: 86_400_000,
  });
});

test("a packager's id is safe in the name of a queue, configured or made from its host's name", () => {
  assert.equal(readConfig(packagerKeys, { PACKAGER_ID: "packager-0" }).packagerId, "packager-0");
  assert.throws(() => readConfig(packagerKeys, { PACKAGER_ID: "a.b" }), /PACKAGER_ID is "a\.b"; allowed/);
  assert.equal(packagerIdOfHost("packager-0.maskline.svc"), "packager-0-maskline-svc");
  assert.equal(packagerIdOfHost(""), "packager");
});
