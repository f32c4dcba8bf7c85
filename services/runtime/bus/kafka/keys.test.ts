import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError, readConfig } from "../../config.js";
import { checkKafkaConfig, kafkaKeys, refusal } from "./keys.js";

const read = (env: Readonly<Record<string, string>>) => readConfig(kafkaKeys, env);
const problems = (work: () => unknown): readonly string[] => {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

test("several brokers, by name and by address", () => {
  assert.deepEqual(read({ KAFKA_BROKERS: "a:9092, b.example:9093,[::1]:9094" }).kafkaBrokers, ["a:9092", "b.example:9093", "[::1]:9094"]);
  assert.deepEqual(read({}).kafkaBrokers, ["127.0.0.1:9092"]);
});

for (const brokers of ["a", "kafka://a:9092", "a:9092/x", ",", "user:canary@a:9092"]) {
  test(`KAFKA_BROKERS=${brokers} is refused`, () => {
    assert.match(problems(() => read({ KAFKA_BROKERS: brokers })).join(), /KAFKA_BROKERS .*allowed: host:port/);
  });
}

test("keys that need each other are missed by name, all at once, without their values", () => {
  const told = problems(() =>
    checkKafkaConfig(read({ KAFKA_SASL_PASSWORD: "canary", KAFKA_TLS_KEY_FILE: "/k", KAFKA_TLS_CA_FILE: "/ca" })),
  );
  assert.equal(told.length, 3);
  assert.match(told.join("\n"), /without KAFKA_SASL_MECHANISM.*KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE belong.*KAFKA_TLS is no/s);
  assert.doesNotMatch(told.join(), /canary/);
  assert.match(problems(() => checkKafkaConfig(read({ KAFKA_SASL_MECHANISM: "plain" }))).join(), /needs KAFKA_SASL_USERNAME/);
  const complete = { KAFKA_SASL_MECHANISM: "scram-sha-512", KAFKA_SASL_USERNAME: "u", KAFKA_SASL_PASSWORD: "p", KAFKA_TLS: "yes" };
  assert.deepEqual(
    problems(() => checkKafkaConfig(read(complete))),
    [],
  );
});

test("a refusal says what to set, or what to correct", () => {
  assert.match(refusal(read({})), /set KAFKA_SASL_MECHANISM/);
  assert.match(refusal(read({ KAFKA_SASL_MECHANISM: "plain" })), /correct KAFKA_SASL_MECHANISM/);
});
