import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError, readConfig } from "../../config.js";
import { natsIdentity, natsKeys } from "./keys.js";

const read = (env: Readonly<Record<string, string>>) => readConfig(natsKeys, env);
const problems = (work: () => unknown): readonly string[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

test("several servers, with and without TLS", () => {
  assert.deepEqual(read({ NATS_URL: "nats://a:4222, tls://b.example:4223/" }).natsServers, ["nats://a:4222", "tls://b.example:4223"]);
  assert.deepEqual(read({}).natsServers, ["nats://127.0.0.1:4222"]);
});

for (const url of ["localhost:4222", "http://a:4222", "nats://", "nats://a/path", ",", "nats://a:notaport"]) {
  test(`NATS_URL=${url} is refused`, () => {
    assert.match(problems(() => read({ NATS_URL: url })).join(), /NATS_URL is .*allowed: nats:\/\/host:port or tls:\/\/host:port/);
  });
}

test("an address may not hold a secret, for addresses are logged; the refusal does not repeat it", () => {
  const told = problems(() => read({ NATS_URL: "nats://user:canary@a:4222" })).join();
  assert.match(told, /set NATS_USER and NATS_PASSWORD/);
  assert.doesNotMatch(told, /canary/);
});

test("the identity is one of token, user, credentials and nkey, or none", () => {
  assert.equal(natsIdentity(read({})).kind, "none");
  assert.deepEqual(natsIdentity(read({ NATS_TOKEN: "t" })), { kind: "token", key: "NATS_TOKEN", token: "t" });
  assert.equal(natsIdentity(read({ NATS_USER: "u", NATS_PASSWORD: "p" })).kind, "user");
  assert.equal(natsIdentity(read({ NATS_CREDS: "c" })).kind, "creds");
  assert.equal(natsIdentity(read({ NATS_NKEY: "SU" })).kind, "nkey");
});

test("keys that contradict each other are all told at once, by name and without their values", () => {
  const told = problems(() =>
    natsIdentity(read({ NATS_TOKEN: "canary", NATS_NKEY: "canary", NATS_PASSWORD: "canary", NATS_TLS_CERT_FILE: "/c.pem" })),
  );
  assert.equal(told.length, 3);
  assert.match(told.join("\n"), /NATS_TOKEN and NATS_NKEY are set/);
  assert.match(told.join("\n"), /NATS_PASSWORD is set without NATS_USER/);
  assert.match(told.join("\n"), /NATS_TLS_CERT_FILE and NATS_TLS_KEY_FILE belong together/);
  assert.doesNotMatch(told.join("\n"), /canary/);
});

for (const [key, value] of [
  ["NATS_REPLICAS", "2"],
  ["NATS_PREFIX", "a.b"],
  ["NATS_PREFIX", "x".repeat(33)],
] as const) {
  test(`${key}=${value} is refused`, () => {
    assert.match(problems(() => read({ [key]: value })).join(), new RegExp(`${key} is .*allowed`));
  });
}
