/** Brokers that are not what the services need: away, without queues, or not taking who they are. Nobody ends for it, and everyone says so. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventuallyHolds } from "../support/eventually-holds.js";
import { CHAOS_BROKERS } from "./brokers.js";
import type { Members } from "./fleet.js";
import { READY_MS, runSessions, type Stage, startStage } from "./stage.js";

const ONE_OF_EACH: Members = {
  "gateway-a": "gateway",
  "filter-1": "filter",
  "rasterizer-1": "rasterizer",
  "packager-1": "packager",
};
const NAMES = Object.keys(ONE_OF_EACH);
const SESSION_MS = 90_000;
const TIMEOUT = { timeout: 150_000 };
/** How long a broker is away: `CHAOS_AWAY_SECONDS=60` for a whole minute. */
const AWAY_MS = Number(process.env.CHAOS_AWAY_SECONDS ?? 4) * 1_000;
/** What may be said of one outage: that it is there, what waits for it, that it is over; not the same again and again. */
const MOST_LINES = 12;

describe("all roles", { concurrency: true }, () => {
  for (const [name, find] of Object.entries(CHAOS_BROKERS)) {
    const kind = find();
    describe(`when ${name} is not there`, { concurrency: 1, skip: "skip" in kind ? kind.skip : false }, () => {
      let stage: Stage;
      before(async () => {
        if ("skip" in kind) return;
        stage = await startStage({
          ...{ kind, lanes: 2, assets: 100, members: ONE_OF_EACH, withoutBroker: true },
          env: { SESSION_WINDOW: "4" },
        });
      });
      after(() => stage?.close());

      const all = async (pattern: RegExp) => {
        await eventuallyHolds(async () => {
          for (const one of NAMES)
            assert.match((await stage.fleet.readiness(one)) ?? "no answer", pattern, `${one}; ended: ${stage.fleet.crashes}`);
        }, READY_MS);
        assert.deepEqual(stage.fleet.crashes, []);
      };
      const isReady = () => stage.fleet.ready(READY_MS);
      /** Sessions go on all the time; whatever happens, they end with the right archives. */
      const underLoad = async (happens: () => Promise<void>) => {
        let isOver = false;
        const load = runSessions(stage, SESSION_MS, () => !isOver);
        const happening = happens().finally(() => {
          isOver = true;
        });
        await Promise.all([load, happening]);
        assert.deepEqual(stage.fleet.crashes, []);
      };
      const linesSaid = () => new Map(NAMES.map((one) => [one, stage.fleet.logOf(one).length]));
      const saidLittle = (before: ReadonlyMap<string, number>) => {
        for (const one of NAMES) {
          const said = stage.fleet.logOf(one).slice(before.get(one));
          assert.ok(said.length <= MOST_LINES, `${one} said ${said.length} lines:\n${said.join("\n")}`);
        }
      };

      it("wait for a broker that is away when they start, and say which one in their log and in /readyz", TIMEOUT, async () => {
        await all(/^503 starting: .*127\.0\.0\.1/);
        await eventuallyHolds(() => {
          for (const one of NAMES) assert.match(stage.fleet.logOf(one).join("\n"), new RegExp(`waiting for ${name}`, "i"), one);
        }, READY_MS);
      });

      it("wait for one that does not take who they are, and say what to correct", TIMEOUT, async (test) => {
        const { broker } = stage;
        if (!broker.startRefusing) {
          test.skip(`what ${name} asks for is another address`);
          return;
        }
        await broker.startRefusing();
        await all(/^503 starting: .*refuses this process; correct [A-Z]+_/);
        await broker.kill();
      });

      it("are ready when it is there", TIMEOUT, async () => {
        await stage.broker.start();
        await isReady();
        await underLoad(async () => undefined);
      });

      it("stay while it is away for a while, are not ready, say little of it, and go on with their sessions", TIMEOUT, async () => {
        const before = linesSaid();
        await underLoad(async () => {
          await stage.broker.kill();
          await all(/^503 .*bus/);
          await sleep(AWAY_MS);
          await all(/^503 .*bus/);
          await stage.broker.start();
          await isReady();
        });
        saidLittle(before);
      });

      it("make streams or topics anew that somebody has deleted, and publish again what was in them", TIMEOUT, async () => {
        await underLoad(async () => {
          await stage.broker.deleteQueues();
          await eventuallyHolds(() => assert.match(NAMES.flatMap(stage.fleet.logOf).join("\n"), /was deleted and is made anew/), READY_MS);
          await isReady();
        });
      });

      it("stay when it comes back and does not take who they are, and go on when it does", TIMEOUT, async (test) => {
        const { broker } = stage;
        if (!broker.startRefusing) {
          test.skip(`what ${name} asks for is another address`);
          return;
        }
        const refusing = broker.startRefusing;
        await underLoad(async () => {
          await broker.kill();
          await refusing();
          await all(/^503 .*bus/);
          await broker.kill();
          await broker.start();
          await isReady();
        });
      });
    });
  }
});
