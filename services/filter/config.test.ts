import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createAddressRules } from "../runtime/address-rules.js";
import { ConfigError, readConfig } from "../runtime/config.js";
import { filterKeys, filterLimits, imageSettings } from "./config.js";

describe("the filter's keys for images", () => {
  it("allow no private address by default, and those of FETCH_ALLOW when it is set", () => {
    const refused = (env: Record<string, string>, address: string) =>
      createAddressRules(imageSettings(readConfig(filterKeys, env)).allowed).refusal(address) !== undefined;
    assert.ok(refused({}, "10.1.2.3") && refused({}, "127.0.0.1"));
    const env = { FETCH_ALLOW: " 10.0.0.0/8, fd12::/16,192.168.1.20 " };
    for (const address of ["10.1.2.3", "fd12::1", "192.168.1.20"]) assert.ok(!refused(env, address), address);
    assert.ok(refused(env, "192.168.1.21"));
  });

  it("turn reading images off with FETCH_CONCURRENCY=0", () => {
    assert.equal(filterLimits(readConfig(filterKeys, {})).readsImages, true);
    assert.equal(filterLimits(readConfig(filterKeys, { FETCH_CONCURRENCY: "0" })).readsImages, false);
  });

  it("name what is wrong with them", () => {
    const wrong = { FETCH_ALLOW: "10.0.0.0/8,localhost", FETCH_BYTES_LIMIT: "1K", FETCH_TIMEOUT: "5m", FETCH_CONCURRENCY: "-1" };
    assert.throws(
      () => readConfig(filterKeys, wrong),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.equal(error.problems.length, 4);
        assert.match(
          error.message,
          /FETCH_ALLOW is "10\.0\.0\.0\/8,localhost"; "localhost" is no range of addresses; allowed: 10\.0\.0\.0\/8/,
        );
        return true;
      },
    );
  });
});
