import type { Mutant } from "../mutant.js";

const LOOP = "services/runtime/step-loop.ts";
const RETRY = "services/runtime/retry.ts";
const WORKERS = "services/runtime/workers.ts";
const QUEUE = "services/runtime/bus/memory-queue.ts";
const NATS = "services/runtime/bus/nats/settings.ts";
const KAFKA = "services/runtime/bus/kafka/progress.ts";
const KAFKA_TEST = "services/runtime/bus/kafka/progress.test.ts";
const LOOP_TEST = "test/runtime/step-loop.test.ts";
const NATS_TEST = "test/runtime/nats-streams.test.ts";
const MEMORY = { file: "test/conformance/adapters.test.ts", source: "test/conformance/bus-flow.ts" };

/** Rules 13 to 15. */
export const queueMutants: readonly Mutant[] = [
  {
    rule: 13,
    without: "a queue for each packager",
    changes: [
      {
        file: "proto/pipeline.ts",
        from: "queue: (packager: string) => `out.${packager}`,",
        to: "queue: (packager: string) => `out.${packager.slice(0, 1)}`,",
      },
    ],
    noticedBy: [
      {
        file: "test/pipeline/several.test.ts",
        title: "their sessions are spread over the packagers, and each message names its own gateway and packager",
      },
    ],
  },
  {
    rule: 13,
    without: "waiting in place for a full queue in memory",
    changes: [
      { file: QUEUE, from: "    if (this.waitingCount === 0) return true;\n", to: "    if (this.waitingCount >= 0) return true;\n" },
    ],
    noticedBy: [
      { ...MEMORY, title: "a full queue is waited for: a slow consumer slows the producer, and nothing is lost" },
      { file: "services/runtime/bus/memory.test.ts", title: "publishers wait above maxMessages, and enter in their order" },
    ],
  },
  {
    rule: 13,
    without: "waiting in place for a full stream of NATS: the oldest messages are dropped",
    changes: [
      { file: NATS, from: "discard: DiscardPolicy.New,", to: "discard: DiscardPolicy.Old," },
      { file: NATS, from: "discard_new_per_subject: true,", to: "discard_new_per_subject: false," },
    ],
    noticedBy: [
      {
        file: "test/conformance/nats.test.ts",
        source: MEMORY.source,
        title: "a full queue is waited for: a slow consumer slows the producer, and nothing is lost",
      },
      { file: NATS_TEST, title: "are work queues on disk that refuse what does not fit, with consumers that deliver without limit" },
    ],
  },
  {
    rule: 13,
    without: "deliveries without limit",
    changes: [{ file: NATS, from: "max_deliver: -1,", to: "max_deliver: 3," }],
    noticedBy: [
      { file: NATS_TEST, title: "are work queues on disk that refuse what does not fit, with consumers that deliver without limit" },
    ],
  },
  {
    rule: 13,
    without: "patience: a bus that is away is a failure of the message",
    changes: [
      {
        file: "services/runtime/bus/publish-patiently.ts",
        from: "if (!(error instanceof Retry) || signal.aborted) throw error;",
        to: 'if (!(error instanceof Retry) || signal.aborted || error.message !== "") throw error;',
      },
    ],
    noticedBy: [{ file: LOOP_TEST, title: "does not ack before everything is published" }],
  },
  {
    rule: 14,
    without: "extending the acks of what is held",
    changes: [
      {
        file: "services/runtime/bus/nats/consumption.ts",
        from: "setInterval(() => this.#renew(renewMs / 2), renewMs)",
        to: "setInterval(() => undefined, renewMs)",
      },
    ],
    noticedBy: [{ file: NATS_TEST, title: "keep what is held by a living process, however long, and hand out what a silent one held" }],
  },
  {
    rule: 14,
    without: "the lowest unfinished offset on Kafka: what is finished behind it is committed",
    changes: [{ file: KAFKA, from: "return this.#unfinished.keys().next().value ?? this.#end;", to: "return this.#end;" }],
    noticedBy: [{ file: KAFKA_TEST, title: "commits the lowest unfinished offset, and tells what is finished behind it" }],
  },
  {
    rule: 14,
    without: "the bound of what a loop holds: twice its concurrency",
    changes: [{ file: LOOP, from: "maxHeld: concurrency * 2,", to: "maxHeld: concurrency * 20," }],
    noticedBy: [{ file: LOOP_TEST, title: "works on no more messages at once than its concurrency, and holds at most twice as many" }],
  },
  {
    rule: 14,
    without: "the bound of messages held, in the adapter",
    changes: [{ file: QUEUE, from: "this.held.size < this.options.maxHeld && ", to: "" }],
    noticedBy: [{ ...MEMORY, title: "at most maxHeld messages are unsettled at once, and that many are" }],
  },
  {
    rule: 14,
    without: "the bound of bytes held, in the adapter",
    changes: [{ file: QUEUE, from: " && this.heldBytes + bytes <= this.options.maxHeldBytes", to: "" }],
    noticedBy: [{ ...MEMORY, title: "at most maxHeldBytes are unsettled at once, but always one message" }],
  },
  {
    rule: 14,
    without: "publishing before the ack",
    changes: [
      {
        file: LOOP,
        from: "      const outputs = await outputsOf(delivery);\n",
        to: "      const outputs = await outputsOf(delivery);\n      await delivery.ack();\n",
      },
    ],
    noticedBy: [{ file: LOOP_TEST, title: "does not ack before everything is published" }],
  },
  {
    rule: 14,
    without: "handing back what is held when stopping",
    changes: [{ file: LOOP, from: "    await consumption.release();\n", to: "" }],
    noticedBy: [{ file: LOOP_TEST, title: "finishes what it works on when stopped, and hands back the rest at once" }],
  },
  {
    rule: 15,
    without: "the end after five observed failures",
    changes: [{ file: RETRY, from: "if (failures >= patience.failures)", to: "if (failures >= patience.failures * 1000)" }],
    noticedBy: [
      { file: LOOP_TEST, title: "rejects a message after five observed failures, with the last one as the reason" },
      { file: "test/runtime/poison.test.ts", title: "a message that kills every process it is in is rejected after five deaths" },
    ],
  },
  {
    rule: 15,
    without: "the number: the first failure rejects",
    changes: [{ file: LOOP, from: "const OBSERVED_FAILURES = 5;", to: "const OBSERVED_FAILURES = 1;" }],
    noticedBy: [{ file: LOOP_TEST, title: "rejects a message after five observed failures, with the last one as the reason" }],
  },
  {
    rule: 15,
    without: "the difference of an outage: it counts as a failure",
    changes: [{ file: RETRY, from: "if (error instanceof Retry) {", to: "if (error instanceof Retry && failures < 0) {" }],
    noticedBy: [{ file: LOOP_TEST, title: "waits out an outage of any length without rejecting, and hands the message back in between" }],
  },
  {
    rule: 15,
    without: "the deadline of a try",
    changes: [
      {
        file: RETRY,
        from: "    const timer = setTimeout(() => deadline.abort(late), deadlineMs);\n",
        to: "    const timer = setTimeout(() => undefined, deadlineMs);\n",
      },
    ],
    noticedBy: [{ file: LOOP_TEST, title: "counts a try that takes longer than the deadline as a failure" }],
  },
  {
    rule: 15,
    without: "isolation: a message that kills takes its neighbours along",
    changes: [{ file: WORKERS, from: "return attempt + roundOf(id) >= SUSPECT_FROM_SIGHT;", to: "return attempt + roundOf(id) < 0;" }],
    noticedBy: [
      { file: "test/runtime/poison.test.ts", title: "a message that kills every process it is in is rejected after five deaths" },
      { file: "test/runtime/workers.test.ts", title: "at delivery " },
    ],
  },
  {
    rule: 15,
    without: "the rounds among the sights",
    changes: [{ file: WORKERS, from: "return attempt + roundOf(id) >=", to: "return attempt + roundOf(id.slice(0, 0)) >=" }],
    noticedBy: [
      { file: "test/runtime/poison.test.ts", title: "a message that kills every process it is in is rejected after five deaths" },
    ],
  },
  {
    rule: 15,
    without: "counting a delivery on Kafka before it is made: one that kills leaves no count behind",
    changes: [
      { file: KAFKA, from: "return message !== undefined && message.kept > message.delivered;", to: "return message !== undefined;" },
    ],
    noticedBy: [{ file: KAFKA_TEST, title: "lets a message be delivered only when Kafka has it that it was" }],
  },
  {
    rule: 15,
    without: "the innocence of a message that was handed back for an outage",
    changes: [
      {
        file: LOOP,
        from: "    return Math.max(1, attempt - (this.#times.get(id) ?? 0));",
        to: "    return Math.max(1, attempt, this.#times.get(id) ?? 0);",
      },
    ],
    noticedBy: [{ file: LOOP_TEST, title: "waits out an outage of any length without rejecting" }],
  },
  {
    rule: 15,
    without: "what is made of a rejected message: it is dropped",
    changes: [{ file: LOOP, from: "      if (outputs) return outputs;\n", to: "" }],
    noticedBy: [
      { file: LOOP_TEST, title: "rejects at once what a step says can not succeed, and goes on with the next" },
      { file: "test/runtime/poison.test.ts", title: "a message that kills every process it is in is rejected after five deaths" },
    ],
  },
];
