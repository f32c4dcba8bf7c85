import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readConfig } from "../../config.js";
import { kafkaKeys } from "./keys.js";
import { differences, wantedSettings } from "./topics.js";

const settings = (env: Readonly<Record<string, string>> = {}) => wantedSettings(readConfig(kafkaKeys, env));

describe("the settings of a topic", () => {
  it("bound what is kept by age and by size, and delete a segment at a time", () => {
    const wants = settings({ KAFKA_RETENTION: "2h", KAFKA_RETENTION_BYTES: "1G" });
    assert.equal(wants["cleanup.policy"], "delete");
    assert.equal(wants["retention.ms"], "7200000");
    assert.equal(wants["retention.bytes"], String(2 ** 30));
    assert.ok(Number(wants["segment.bytes"]) < 2 ** 30);
  });

  it("ask for two copies in sync where there are three, and leave it to the brokers elsewhere", () => {
    assert.equal(settings({ KAFKA_REPLICATION: "3" })["min.insync.replicas"], "2");
    for (const copies of ["0", "1", "2"]) assert.equal(settings({ KAFKA_REPLICATION: copies })["min.insync.replicas"], undefined);
  });

  it("are compared one by one; what is not ours is left alone", () => {
    const wants = settings();
    const has = new Map([...Object.entries(wants), ["retention.ms", "1000"], ["compression.type", "zstd"]] as [string, string][]);
    assert.deepEqual(differences(wants, has), [`retention.ms is 1000 instead of ${wants["retention.ms"]}`]);
    has.delete("cleanup.policy");
    assert.match(differences(wants, has).join(), /cleanup.policy is not set instead of delete/);
  });
});
