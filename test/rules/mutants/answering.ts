import type { Mutant } from "../mutant.js";

const ANSWER = "services/gateway/answer.ts";
const STORE = "services/gateway/run-store.ts";
const OUTBOX = "services/gateway/outbox.ts";
const MAIN = "services/gateway/main.ts";
const RECOVERY = "test/gateway/recovery.test.ts";
const STORE_TEST = "services/gateway/run-store.test.ts";
const OUTBOX_TEST = "services/gateway/outbox.test.ts";

/** Rules 8 and 9. */
export const answeringMutants: readonly Mutant[] = [
  {
    rule: 8,
    without: "the first decision's precedence",
    changes: [
      {
        file: ANSWER,
        from: '        if (record.state === "ended") return undefined;\n        const ending = decide(record);',
        to: '        const ending = decide(record.state === "ended" ? { ...record, state: "accepted" } : record);',
      },
    ],
    noticedBy: [{ file: "test/gateway/cancel.test.ts", title: "of two that cancel at once one does" }],
  },
  {
    rule: 8,
    without: "compare-and-set: decisions of one run at the same time",
    changes: [
      {
        file: STORE,
        from: "      inTurn(run, async () => {\n        const record = runs.get(run);",
        to: "      inTurn(`${run} ${Math.random()}`, async () => {\n        const record = runs.get(run);",
      },
    ],
    noticedBy: [{ file: STORE_TEST, title: "of many decisions made at once the first one stays" }],
  },
  {
    rule: 8,
    without: "the answer after a restart",
    changes: [
      {
        file: MAIN,
        from: 'if (record.state === "ended") answers.deliver(record.run);\n    else keeper',
        to: 'if (record.state !== "ended") keeper',
      },
    ],
    noticedBy: [{ file: RECOVERY, title: "a gateway stopped before Hub confirmed the answer sends the same answer after its restart" }],
  },
  {
    rule: 8,
    without: "sending again what Hub does not take",
    changes: [
      {
        file: ANSWER,
        from: "        if (stopping.signal.aborted) throw error;\n        log.warn({ run, session: session.session, error",
        to: "        if (stopping.signal) throw error;\n        log.warn({ run, session: session.session, error",
      },
    ],
    noticedBy: [{ file: RECOVERY, title: "an answer that Hub does not take is sent again, the same" }],
  },
  {
    rule: 8,
    without: "2xx over REST: the answer is tried a few times only",
    changes: [{ file: "services/gateway/hub-rest.ts", from: "attempts: Number.POSITIVE_INFINITY,", to: "attempts: 2," }],
    noticedBy: [{ file: "services/gateway/hub-rest.test.ts", title: "a result is sent until Hub takes it" }],
  },
  {
    rule: 8,
    without: "the second ping",
    changes: [{ file: OUTBOX, from: "const PINGS_THAT_PROVE = 2;", to: "const PINGS_THAT_PROVE = 1;" }],
    noticedBy: [{ file: OUTBOX_TEST, title: "an answer is confirmed by the second ping after it, for the first may have crossed it" }],
  },
  {
    rule: 8,
    without: "the answer on the next connection",
    changes: [{ file: OUTBOX, from: "      entry.pings = 0;\n      line.response(entry.answer);\n", to: "      entry.pings = 0;\n" }],
    noticedBy: [
      { file: OUTBOX_TEST, title: "an answer goes out again on the next connection until confirmed, the same bytes" },
      {
        file: "services/gateway/hub-socket.test.ts",
        title: "an answer that was cut before the pings is sent again, the same bytes; after them no more",
      },
    ],
  },
  {
    rule: 8,
    without: "one connection: pings of several add up",
    changes: [{ file: OUTBOX, from: "      entry.pings = 0;\n", to: "" }],
    noticedBy: [{ file: OUTBOX_TEST, title: "pings do not add up over connections" }],
  },
  {
    rule: 8,
    without: "the confirmation's end: what Hub has is sent again",
    changes: [{ file: OUTBOX, from: "      if (entry.pings >= PINGS_THAT_PROVE) entry.confirm();\n", to: "" }],
    noticedBy: [{ file: OUTBOX_TEST, title: "an answer is confirmed by the second ping after it" }],
  },
  {
    rule: 9,
    without: "the confirmation before the run is erased",
    changes: [
      {
        file: ANSWER,
        from: "    if (await send(run, sending, end.answer)) {",
        to: "    await parts.erase(run);\n    if (await send(run, sending, end.answer)) {",
      },
    ],
    noticedBy: [{ file: "services/gateway/answer.test.ts", title: "nothing of a run is erased before Hub has its answer" }],
  },
  {
    rule: 9,
    without: "the confirmation before the run's key is erased",
    changes: [
      {
        file: "services/gateway/run-record.ts",
        from: 'return record.state === "ended" && record.end.confirmedAt !== undefined;',
        to: 'return record.state === "ended";',
      },
    ],
    noticedBy: [{ file: STORE_TEST, title: "a run's key is there until its answer is confirmed or forgotten" }],
  },
  {
    rule: 9,
    without: "forgetting: the user's key stays in the store",
    changes: [
      {
        file: "services/gateway/run-record.ts",
        from: 'projectId, orgId, runBy, apiKey: "",',
        to: "projectId, orgId, runBy, apiKey: record.session.apiKey,",
      },
    ],
    noticedBy: [{ file: STORE_TEST, title: "a confirmed run keeps its session and result and nothing else of the user" }],
  },
  {
    rule: 9,
    without: "erasing the run's key once Hub has the answer",
    changes: [{ file: STORE, from: "    if (isConfirmed(record)) await orFatal(() => ofRuns.erase(run));\n", to: "" }],
    noticedBy: [
      { file: STORE_TEST, title: "a run's key is there until its answer is confirmed or forgotten" },
      { file: RECOVERY, title: "the user's key is in no file, and after confirmation nothing can open what held it" },
    ],
  },
  {
    rule: 9,
    without: "erasing export and blobs",
    changes: [{ file: MAIN, from: "    await deleteExport(exportFile(run));\n    await blobs.deleteRun(run);\n", to: "" }],
    noticedBy: [{ file: RECOVERY, title: "a download that was killed is deleted" }],
  },
  {
    rule: 9,
    without: "keeping the result for 30 days",
    changes: [
      {
        file: MAIN,
        from: "store.prune(timing.wallClock() - timing.keepResults)",
        to: "store.prune(timing.wallClock() + timing.keepResults)",
      },
    ],
    noticedBy: [
      { file: RECOVERY, title: "a session that comes again after a restart gets its stored result, for as long as results are kept" },
    ],
  },
  {
    rule: 9,
    without: "keeping runs that have not ended, however old",
    changes: [
      { file: STORE, from: 'record.state === "ended" && record.end.at < time', to: 'record.state !== "ended" || record.end.at < time' },
    ],
    noticedBy: [{ file: STORE_TEST, title: "pruning forgets old results, and no run that has not ended" }],
  },
];
