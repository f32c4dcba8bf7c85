import assert from "node:assert/strict";
import { test } from "node:test";
import { consumerDifferences, inWords, type QueueSettings, streamDifferences, wantedConsumer, wantedStream } from "./settings.js";

const SETTINGS: QueueSettings = {
  prefix: "maskline",
  replicas: 1,
  streamBytes: 1_000_000,
  streamAgeMs: 3_600_000,
  runMessages: 1_024,
  ackWaitMs: 30_000,
};
const has = wantedStream(SETTINGS, "out");
const names = (differences: readonly { readonly setting: string }[]) => differences.map(({ setting }) => setting);

test("a stream as it is wanted needs nothing, whatever else the server says of it", () => {
  assert.deepEqual(streamDifferences(has, { ...has, max_consumers: -1, deny_purge: false }, 10), { apply: [], later: [], refuse: [] });
});

test("limits are raised at once, and lowered only while no message is there that NATS would delete for it", () => {
  const raised = wantedStream({ ...SETTINGS, runMessages: 2_000, streamBytes: 2_000_000, streamAgeMs: 7_200_000 }, "out");
  assert.deepEqual(names(streamDifferences(raised, has, 10).apply), ["max_msgs_per_subject", "max_bytes", "max_age"]);
  const lowered = streamDifferences(has, raised, 10);
  assert.deepEqual(names(lowered.later), ["max_msgs_per_subject", "max_bytes", "max_age"]);
  assert.deepEqual(lowered.apply, []);
  assert.deepEqual(names(streamDifferences(has, raised, 0).apply), ["max_msgs_per_subject", "max_bytes", "max_age"]);
});

test("no limit at all is more than any", () => {
  assert.deepEqual(names(streamDifferences(has, { ...has, max_bytes: -1, max_age: 0 }, 10).later), ["max_bytes", "max_age"]);
});

test("what would make it another stream or consumer is refused, and told with both values", () => {
  const { refuse } = streamDifferences(has, { ...has, retention: "limits", subjects: ["other.>"] }, 0);
  assert.equal(inWords(refuse), 'subjects is ["other.>"] instead of ["maskline.out.>"], retention is "limits" instead of "workqueue"');
  const consumer = wantedConsumer(SETTINGS, "out.p1");
  const differences = consumerDifferences(consumer, { ...consumer, filter_subject: "maskline.out.>", ack_wait: 1, max_deliver: 5 });
  assert.deepEqual([names(differences.refuse), names(differences.apply)], [["filter_subject"], ["ack_wait", "max_deliver"]]);
});
