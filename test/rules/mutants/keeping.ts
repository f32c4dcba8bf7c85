import type { Mutant } from "../mutant.js";

const HELD = "services/packager/held-runs.ts";
const MESSAGES = "services/packager/sync-messages.ts";
const SWEEP = "services/gateway/sweep.ts";
const CLAIM = "services/runtime/bus/claim-check.ts";
const LOCK = "services/runtime/volume-lock.ts";
const MAIN_TEST = "services/packager/main.test.ts";
const SWEEP_TEST = "services/gateway/sweep.test.ts";
const CLAIM_TEST = "services/runtime/bus/claim-check.test.ts";
const LOCK_TEST = "services/runtime/volume-lock.test.ts";

/** Rule 20. */
export const keepingMutants: readonly Mutant[] = [
  {
    rule: 20,
    without: "waiting for Sync: spool and archive go with the report",
    changes: [
      {
        file: "services/packager/main.ts",
        from: "    onChange: tell,\n",
        to: "    onChange: (run, urgency) => {\n      tell(run, urgency);\n      if (run.phase === 4) void runs.serially(() => runs.end(run.run));\n    },\n",
      },
    ],
    noticedBy: [{ file: MAIN_TEST, title: "spool and archive are deleted when Sync says ended, and a late repeat is not spooled again" }],
  },
  {
    rule: 20,
    without: "deleting what has ended",
    changes: [{ file: MESSAGES, from: "      if (held) await runs.end(pinned.run);\n", to: "" }],
    noticedBy: [{ file: MAIN_TEST, title: "spool and archive are deleted when Sync says ended, and a late repeat is not spooled again" }],
  },
  {
    rule: 20,
    without: "remembering what has ended: a late repeat is spooled again",
    changes: [{ file: HELD, from: "      ended.add(run);\n", to: "" }],
    noticedBy: [{ file: MAIN_TEST, title: "spool and archive are deleted when Sync says ended, and a late repeat is not spooled again" }],
  },
  {
    rule: 20,
    without: "telling a packager that its run has ended",
    changes: [
      {
        file: "services/gateway/sync.ts",
        from: "const state = record ? RunState.ENDED : RunState.UNKNOWN;",
        to: "const state = record ? RunState.UNKNOWN : RunState.UNKNOWN;",
      },
    ],
    noticedBy: [
      {
        file: "test/gateway/cancel.test.ts",
        title: "a session that publishes stops at once when it is cancelled, and its packager is told that it has ended",
      },
      { file: "test/pipeline/several.test.ts", title: "a packager that falls silent loses its sessions to the other one" },
    ],
  },
  {
    rule: 20,
    without: "telling unknown runs from ended ones",
    changes: [
      {
        file: "services/gateway/sync.ts",
        from: "const state = record ? RunState.ENDED : RunState.UNKNOWN;",
        to: "const state = record ? RunState.ENDED : RunState.ENDED;",
      },
    ],
    noticedBy: [
      { file: "test/gateway/recovery.test.ts", title: "runs that a packager holds and this gateway never had are told as unknown" },
    ],
  },
  {
    rule: 20,
    without: "sparing blobs of open runs",
    changes: [{ file: SWEEP, from: '(record && record.state !== "ended") || ', to: 'record?.state === "accepted" || ' }],
    noticedBy: [
      { file: SWEEP_TEST, title: "blobs of runs that are not open are deleted a day after the youngest, those of open ones never" },
    ],
  },
  {
    rule: 20,
    without: "the 24 hours",
    changes: [{ file: SWEEP, from: "wallClock() - youngestMs < keepMs", to: "wallClock() < youngestMs" }],
    noticedBy: [
      { file: SWEEP_TEST, title: "blobs of runs that are not open are deleted a day after the youngest, those of open ones never" },
      {
        file: "test/gateway/recovery.test.ts",
        title: "blobs that a killed process left behind are deleted at the next start, a day after the youngest",
      },
    ],
  },
  {
    rule: 20,
    without: "the sweep",
    changes: [{ file: SWEEP, from: "      await blobs.deleteRun(run);\n", to: "" }],
    noticedBy: [
      { file: SWEEP_TEST, title: "blobs of runs that are not open are deleted a day after the youngest" },
      { file: "test/gateway/recovery.test.ts", title: "blobs that a killed process left behind are deleted at the next start" },
    ],
  },
  {
    rule: 20,
    without: "the gap that a missing blob is: its message is tried again without end",
    changes: [{ file: CLAIM, from: '      return "missing";\n', to: '      return "failed";\n' }],
    noticedBy: [{ file: CLAIM_TEST, title: "is acked with a warning, and the next one is delivered" }],
  },
  {
    rule: 20,
    without: "the body of a missing blob: an empty one is worked on",
    changes: [{ file: CLAIM, from: '      return "missing";\n', to: "      return new Uint8Array(0);\n" }],
    noticedBy: [{ file: CLAIM_TEST, title: "is acked with a warning, and the next one is delivered" }],
  },
  {
    rule: 20,
    without: "comparing a blob's size with what was stored",
    changes: [
      {
        file: CLAIM,
        from: "      if (body?.byteLength === bytes) return body;",
        to: "      if (body?.byteLength === bytes || (body && bytes >= 0)) return body;",
      },
    ],
    noticedBy: [{ file: CLAIM_TEST, title: "is acked with a warning, and the next one is delivered" }],
  },
  {
    rule: 20,
    without: "the lock of a packager's volume",
    changes: [
      { file: LOCK, from: "    if (!isStale(found)) break;\n", to: "" },
      { file: LOCK, from: "  if (found !== undefined && isStale(found)) await rename", to: "  if (found !== undefined) await rename" },
    ],
    noticedBy: [
      { file: LOCK_TEST, title: "a lock keeps everyone else out, this process too, until it is released" },
      { file: LOCK_TEST, title: "a living process keeps its volume; when it is killed, the next one has it at once" },
      { file: MAIN_TEST, title: "two packagers never share a volume" },
    ],
  },
  {
    rule: 20,
    without: "the lock of a gateway's volume",
    changes: [
      {
        file: "services/gateway/main.ts",
        from: "  const lock = await lockVolume(folder, {",
        to: "  const lock = await lockVolume(join(folder, String(Math.random())), {",
      },
    ],
    noticedBy: [{ file: "test/gateway/recovery.test.ts", title: "two gateways never share a volume" }],
  },
  {
    rule: 20,
    without: "one winner among those that take over a dead process's lock",
    changes: [
      {
        file: LOCK,
        from: "  if (!(await createExclusively(takeover, owner))) {",
        to: '  if (!(await createExclusively(takeover, owner)) && folder === "") {',
      },
      {
        file: LOCK,
        from: "  if (found !== undefined && isStale(found)) await rename(takeover, path);",
        to: "  if (found !== undefined) await rename(takeover, path).catch(() => undefined);",
      },
      { file: LOCK, from: "  return (await look(path))?.owner?.id === owner.id;", to: "  return (await look(path)) !== undefined;" },
    ],
    noticedBy: [{ file: LOCK_TEST, title: "of several attempts in one process, one gets it, whatever was there before" }],
  },
  {
    rule: 20,
    without: "the end of a process that has lost its lock",
    changes: [{ file: LOCK, from: "    onLost(new Fatal(", to: "    void (new Fatal(" }],
    noticedBy: [{ file: LOCK_TEST, title: "a lock that another process took is told as lost, once, and not removed" }],
  },
];
