import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isProtocolError, kafkaFailure, kafkaReason } from "./failures.js";

/** As kafkajs builds them: a type on the innermost, which the others wrap. */
function protocolError(type: string): Error {
  return Object.assign(new Error(type), { name: "KafkaJSProtocolError", type });
}

describe("kafkajs' errors", () => {
  for (const [type, failure] of [
    ["UNKNOWN_TOPIC_OR_PARTITION", "missing"],
    ["SASL_AUTHENTICATION_FAILED", "identity"],
    ["GROUP_AUTHORIZATION_FAILED", "permission"],
    ["MESSAGE_TOO_LARGE", "tooLarge"],
    ["INVALID_REPLICATION_FACTOR", "refused"],
    ["LEADER_NOT_AVAILABLE", "passing"],
  ] as const) {
    it(`${type} is ${failure}, wrapped or not, alone or among others`, () => {
      const error = protocolError(type);
      const exceeded = Object.assign(new Error("retries", { cause: error }), { name: "KafkaJSNumberOfRetriesExceeded" });
      const several = Object.assign(new Error("several"), { errors: [new Error("other"), new Error("x", { cause: error })] });
      for (const each of [error, exceeded, several]) assert.equal(kafkaFailure(each), failure);
      assert.equal(isProtocolError(several, type), true);
      assert.equal(isProtocolError(several, "ANOTHER"), false);
    });
  }

  it("a refused login is told by its name, for it has no type", () => {
    assert.equal(kafkaFailure(Object.assign(new Error("no"), { name: "KafkaJSSASLAuthenticationError" })), "identity");
  });

  it("say everything once", () => {
    const inner = protocolError("INVALID_REPLICATION_FACTOR");
    const several = Object.assign(new Error("Topic creation errors"), { errors: [new Error(inner.message, { cause: inner })] });
    assert.equal(kafkaReason(several), "Topic creation errors: INVALID_REPLICATION_FACTOR");
    assert.equal(kafkaReason("text"), "text");
  });

  it("anything else may pass", () => {
    const own = new Error("of itself");
    own.cause = own;
    for (const error of [own, new Error("socket"), "text", undefined]) assert.equal(kafkaFailure(error), "passing");
  });
});
