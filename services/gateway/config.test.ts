import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError, readConfig } from "../runtime/config.js";
import { gatewayKeys, gatewaySettings } from "./config.js";

const needed = { HOST: "https://hub.test/", PLUGIN_ID: "p-1", PLUGIN_SECRET: "secret" };

test("with what Hub gives, everything else has a default", () => {
  const config = readConfig(gatewayKeys, needed);
  assert.equal(config.host, "https://hub.test");
  const settings = gatewaySettings(config);
  assert.equal(settings.gatewayId, "gateway-p-1");
  assert.equal(settings.stateKey, undefined);
  assert.deepEqual(settings.credits, { window: 512, globalWindow: 2048, maxBytes: 64 * 2 ** 20 });
  assert.equal(settings.timing.stall, 300_000);
});

test("all mistakes are told at once, without the secret", () => {
  assert.throws(
    () => readConfig(gatewayKeys, { HOST: "hub", PLUGIN_SECRET: "secret", SESSION_WINDOW: "0" }),
    (error) =>
      error instanceof ConfigError &&
      ["HOST", "PLUGIN_ID", "SESSION_WINDOW"].every((name) => error.message.includes(name)) &&
      !error.message.includes('"secret"'),
  );
});
