/** A short chaotic run on each broker that is there: all roles as processes, and every kind of blow. `npm run chaos` has the long ones. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CHAOS_BROKERS } from "./brokers.js";
import { runChaos } from "./chaos-run.js";
import { checkThatItHurt } from "./hurt.js";
import { GAP } from "./plan.js";

const SEED = 28;
/** Fewer where it takes long to notice that a process has died. */
const BLOWS = { most: 6, least: 4, longMs: 3_000 };
const ONCE = ["broker", "volume", "messages"] as const;
/** So small that sessions are under way all the time, and cost little. */
const ENV = { SESSION_WINDOW: "16" };
const LEAST_ASSETS = 1_000;

describe("under chaos", { concurrency: true }, () => {
  for (const [name, find] of Object.entries(CHAOS_BROKERS)) {
    const kind = find();
    it(`on ${name}, sessions on two plugins get the undisturbed bytes while processes, the broker, a volume and messages are lost`, {
      skip: "skip" in kind ? kind.skip : false,
      timeout: 280_000,
    }, async (test) => {
      if ("skip" in kind) return;
      const blows = kind.takeoverMs > BLOWS.longMs ? BLOWS.least : BLOWS.most;
      const result = await runChaos({
        ...{ kind, seed: SEED, once: ONCE, env: ENV, lanes: 4, assets: 120, leastAssets: LEAST_ASSETS },
        durationMs: kind.takeoverMs * GAP.least * blows,
        mostGap: GAP.least,
        say: (line) => test.diagnostic(line),
      });
      const { redelivered, rounds, epochs, messagesLost, repeatedAnswers } = result;
      test.diagnostic(JSON.stringify({ assets: result.disturbed.assets, redelivered, rounds, epochs, messagesLost, repeatedAnswers }));
      checkThatItHurt(result, ONCE);
      assert.equal(result.blows, blows);
      assert.ok(result.disturbed.assets >= LEAST_ASSETS, `${result.disturbed.assets} assets`);
    });
  }
});
