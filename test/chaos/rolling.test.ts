import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CHAOS_BROKERS } from "./brokers.js";
import type { Members } from "./fleet.js";
import { runRolling } from "./rolling-run.js";

const FEW: Members = {
  "gateway-a": "gateway",
  "filter-1": "filter",
  "rasterizer-1": "rasterizer",
  "rasterizer-2": "rasterizer",
  "packager-1": "packager",
};

describe("under a rolling restart", { concurrency: true }, () => {
  for (const [name, find] of Object.entries(CHAOS_BROKERS)) {
    const kind = find();
    it(`on ${name}, all roles restarted one after another under load end in time, and no message that was finished is worked on again`, {
      skip: "skip" in kind ? kind.skip : false,
      timeout: 240_000,
    }, async (test) => {
      if ("skip" in kind) return;
      const result = await runRolling({
        ...{ kind, members: FEW, lanes: 3, assets: 120, undisturbedMs: 0, times: 1 },
        env: { SESSION_WINDOW: "16" },
        say: (line) => test.diagnostic(line),
      });
      assert.equal(result.drains.length, Object.keys(FEW).length);
      const roles = new Set(result.drains.filter(({ held }) => held > 0).map(({ role }) => role));
      assert.ok(roles.size >= 3, `only ${[...roles]} had work when they were told to stop`);
    });
  }
});
