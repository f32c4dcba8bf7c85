import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../runtime/config.js";
import { packagerIdFrom, packagerKeys } from "./config.js";

test("all keys have defaults that are allowed", () => {
  assert.deepEqual(readConfig(packagerKeys, {}), {
    packagerId: "",
    archivesAtOnce: 2,
    uploadTimeoutMs: 120_000,
    uploadAttempts: 10,
    unknownKeepMs: 86_400_000,
  });
});

test("a packager is called by its configured id, or by its host made safe", () => {
  assert.equal(packagerIdFrom("packager-0", "host"), "packager-0");
  assert.equal(packagerIdFrom("", "packager-0.maskline.svc"), "packager-0-maskline-svc");
  assert.equal(packagerIdFrom("", ""), "packager");
  assert.throws(() => packagerIdFrom("a.b", "host"), /PACKAGER_ID is "a\.b"; allowed/);
});
