/** What gets lost on the way comes again, and passes brokers that remember every id (docs/delivery.md rules 6, 11 and 20). */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { roundOf } from "../../proto/pipeline.js";
import { createFileBlobs } from "../../services/runtime/blob/file.js";
import type { Bus, OutgoingMessage } from "../../services/runtime/bus/bus.js";
import { type PipelineOptions, startPipeline } from "./pipeline.js";
import { polygon, row, square } from "./rows.js";

const ASSETS = 12;
/** Every third one is a video, with a mask on two of its frames. */
const rows = Array.from({ length: ASSETS }, (_, index) => {
  const shape = polygon("Road", "road", square(index % 9, 1, 4));
  return row({ id: `task-${index}`, tools: index % 3 === 0 ? [0, 7].map((page) => ({ ...shape, page })) : [shape] });
});
const env = { STALL_TIMEOUT: "1s" };

/** What gets lost is published, and nobody gets it. */
const losing =
  (isLost: (message: OutgoingMessage) => boolean) =>
  (bus: Bus): Bus => ({ ...bus, publish: async (message, signal) => (isLost(message) ? undefined : bus.publish(message, signal)) });

/** Like a broker that drops repeats of an id, and never forgets one. */
const droppingRepeats = (bus: Bus): Bus => {
  const seen = new Set<string>();
  return {
    ...bus,
    async publish(message, signal) {
      const isRepeat = seen.has(`${message.queue} ${message.id}`);
      seen.add(`${message.queue} ${message.id}`);
      if (!isRepeat) await bus.publish(message, signal);
    },
  };
};

async function run(options: Omit<PipelineOptions, "rows"> = {}) {
  const published: OutgoingMessage[] = [];
  const pipeline = await startPipeline({
    rows,
    env,
    ...options,
    wrapBus: (memory) => {
      const bus = options.wrapBus?.(memory) ?? memory;
      return {
        ...bus,
        async publish(message, signal) {
          published.push(message);
          await bus.publish(message, signal);
        },
      };
    },
  });
  try {
    const { bytes, lines } = await pipeline.run();
    return { bytes, lines: lines.join("\n"), rounds: [...new Set(published.map(({ id }) => roundOf(id)))].sort() };
  } finally {
    await pipeline.close();
  }
}

describe("the same archive comes out", () => {
  let folder: string;
  let expected: Buffer;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "maskline-again-"));
    const { bytes, rounds, lines } = await run();
    assert.ok(bytes, lines);
    assert.deepEqual(rounds, [0]);
    expected = bytes;
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("of a broker that drops repeats of an id: each message has one of its own", { timeout: 60_000 }, async () => {
    const { bytes, rounds, lines } = await run({ wrapBus: droppingRepeats });
    assert.ok(bytes?.equals(expected), lines);
    assert.deepEqual(rounds, [0]);
  });

  it("when messages of each hop get lost: what is published again on purpose passes such a broker", { timeout: 60_000 }, async () => {
    const isLost = ({ queue, id }: OutgoingMessage) => roundOf(id) === 0 && new RegExp(LOST[queue.split(".")[0] ?? ""] ?? "^$").test(id);
    const { bytes, rounds, lines } = await run({ wrapBus: (bus) => droppingRepeats(losing(isLost)(bus)) });
    assert.ok(bytes?.equals(expected), lines);
    assert.deepEqual(rounds, [0, 1]);
  });

  it("when a blob gets lost that a message names: it is a gap, which the next round fills", { timeout: 60_000 }, async () => {
    const blobs = await createFileBlobs(join(folder, "blobs"));
    const lost: string[] = [];
    const losingBlobs = {
      ...blobs,
      async put(key: string, body: Uint8Array) {
        if (roundOf(key) === 0 && /\/[35]\/p0$/.test(key)) lost.push(key);
        else await blobs.put(key, body);
      },
    };
    const { bytes, rounds, lines } = await run({ blobs: losingBlobs, inlineBytes: 16 });
    assert.equal(lost.length, 2);
    assert.ok(bytes?.equals(expected), lines);
    assert.deepEqual(rounds, [0, 1]);
  });
});

/** By hop, the ids of what gets lost: a row, one part of a video, an outcome. */
const LOST: Readonly<Record<string, string>> = { filter: "/1$", raster: "/3/p1$", out: "/5/p0/m$" };
