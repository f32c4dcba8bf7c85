import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "../runtime/log.js";
import { type AcceptParts, acceptSession } from "./accept-session.js";
import type { RunRecord } from "./run-record.js";

const PAYLOAD = { session: "S", projectId: "P", apiKey: "key-123", orgId: "O", runBy: "U", configJSON: "{}", batches: [] };

/** A store whose disk takes its time: `written` ends the first insert. */
function slowStore() {
  let written: (error?: Error) => void = () => undefined;
  const begun: string[] = [];
  const parts: AcceptParts = {
    plugin: "plugin",
    store: {
      insert: (record: RunRecord) =>
        new Promise((resolve, reject) => {
          written = (error) => (error ? reject(error) : resolve({ record, inserted: true }));
        }),
    } as AcceptParts["store"],
    answers: {} as AcceptParts["answers"],
    begin: ({ session }) => void begun.push(session.session),
    wallClock: () => 0,
    log: createLogger("silent"),
  };
  return { parts, begun, written: (error?: Error) => written(error) };
}

test("nothing is done for a session, nor is Hub told that it is accepted, before it is on disk", async () => {
  const { parts, begun, written } = slowStore();
  let accepted = false;
  const accepting = acceptSession(PAYLOAD, parts).then(() => {
    accepted = true;
  });
  await new Promise(setImmediate);
  assert.deepEqual([begun, accepted], [[], false]);
  written();
  await accepting;
  assert.deepEqual([begun, accepted], [["S"], true]);
});

test("a session that the disk refuses is not accepted", async () => {
  const { parts, begun, written } = slowStore();
  const accepting = acceptSession(PAYLOAD, parts);
  await new Promise(setImmediate);
  written(new Error("the disk refuses"));
  await assert.rejects(accepting, /the disk refuses/);
  assert.deepEqual(begun, []);
});
