import type { Mutant } from "../mutant.js";

const MESSAGES = "services/packager/sync-messages.ts";
const LOOP = "services/packager/sync-loop.ts";
const SPOOL = "services/packager/spool-outcomes.ts";
const SYNC = "services/gateway/sync.ts";
const MAIN_TEST = "services/packager/main.test.ts";
const LOOP_TEST = "services/packager/sync-loop.test.ts";
const SEVERAL = "test/pipeline/several.test.ts";

/** Rule 18. */
export const syncingMutants: readonly Mutant[] = [
  {
    rule: 18,
    without: "the 2 seconds: nothing is told while nothing changes",
    changes: [{ file: LOOP, from: "    if (answered) dueIn(everyMs);\n    else {", to: "    if (!answered) {" }],
    noticedBy: [{ file: LOOP_TEST, title: "it syncs again by itself when nothing changes" }],
  },
  {
    rule: 18,
    without: "the 100 ms after a change",
    changes: [
      {
        file: LOOP,
        from: '    wake: (urgency) => dueIn(urgency === "now" ? 0 : SOON_MS),',
        to: '    wake: (urgency) => dueIn(urgency === "now" ? everyMs : everyMs),',
      },
    ],
    noticedBy: [{ file: LOOP_TEST, title: "a change is told soon, and an urgent one at once, long before the next Sync is due" }],
  },
  {
    rule: 18,
    without: "one Sync at a time",
    changes: [{ file: LOOP, from: "    if (busy || stopped) return;", to: "    if (stopped) return;" }],
    noticedBy: [{ file: LOOP_TEST, title: "never two at once: changes during a Sync are told by the next one" }],
  },
  {
    rule: 18,
    without: "the echo of a new epoch at once",
    changes: [{ file: MESSAGES, from: 'return isNew ? "now" : asksAnew', to: "return asksAnew" }],
    noticedBy: [{ file: "services/packager/sync-messages.test.ts", title: "a new epoch is echoed at once, and what is missing told soon" }],
  },
  {
    rule: 18,
    without: "a loop for each gateway: one that hangs holds up the others",
    changes: [
      {
        file: "services/packager/main.ts",
        from: "      sync: (request) => connection.sync(request),",
        to: "      sync: (request) => runs.serially(() => connection.sync(request)),",
      },
    ],
    noticedBy: [{ file: MAIN_TEST, title: "a second gateway that hangs delays nobody" }],
  },
  {
    rule: 18,
    without: "keeping everything while a gateway can not be reached",
    changes: [{ file: "services/packager/ask-gateway.ts", from: "attempts: Number.POSITIVE_INFINITY,", to: "attempts: 1," }],
    noticedBy: [
      {
        file: "services/packager/pack-run.test.ts",
        title: "a gateway that is away when told the result is told again, without another upload",
      },
    ],
  },
  {
    rule: 18,
    without: "the epoch of what is told: an older one counts for the new one",
    changes: [{ file: SYNC, from: "else if (spooled?.epoch === pin.epoch) book.told", to: "else if (spooled) book.told" }],
    noticedBy: [
      {
        file: "services/gateway/sync.test.ts",
        title: "what a packager tells of another epoch, or from another ledger, is no echo and counts for nothing",
      },
    ],
  },
  {
    rule: 18,
    without: "dropping a lower epoch's outcomes",
    changes: [
      {
        file: SPOOL,
        from: "if (runs.hasEnded(run) || (held && held.epoch > epoch)) return undefined;",
        to: "if (runs.hasEnded(run)) return undefined;",
      },
    ],
    noticedBy: [{ file: MAIN_TEST, title: "a new epoch told by Sync drops what was held, is echoed, and refuses messages of the old one" }],
  },
  {
    rule: 18,
    without: "a lower epoch's end in Sync: an old answer takes the new epoch back",
    changes: [{ file: MESSAGES, from: '  if (held && held.epoch > pinned.epoch) return "later";\n', to: "" }],
    noticedBy: [
      { file: "services/packager/sync-messages.test.ts", title: "an answer that is late and tells a lower epoch changes nothing" },
    ],
  },
  {
    rule: 18,
    without: "spooling an unknown run without asking",
    changes: [
      { file: SPOOL, from: "    // A higher epoch than ours:", to: "    if (!held) return undefined;\n    // A higher epoch than ours:" },
    ],
    noticedBy: [{ file: MAIN_TEST, title: "an unknown run is spooled without asking, and waits for its total" }],
  },
  {
    rule: 18,
    without: "every run pinned to the packager in the reply: only those it told of are",
    changes: [
      {
        file: SYNC,
        from: "const open = pinned.map((record) => openRun(record, book));",
        to: "const open = pinned.filter(({ run }) => held.has(run)).map((record) => openRun(record, book));",
      },
    ],
    noticedBy: [{ file: "test/gateway/recovery.test.ts", title: "a packager that lost its volume gets everything again in a new epoch" }],
  },
  {
    rule: 18,
    without: "a packager's own runs in the reply: those of all packagers are",
    changes: [
      {
        file: SYNC,
        from: 'record.state === "open" && record.pin?.packager === packager',
        to: 'record.state === "open" && record.pin !== undefined',
      },
    ],
    noticedBy: [{ file: "test/gateway/session.test.ts", title: "runs are spread over the packagers in Sync" }],
  },
  {
    rule: 18,
    without: "missing indexes on request",
    changes: [
      { file: SYNC, from: "const wantMissing = book.asked(run, pin);", to: "const wantMissing = book.asked(run, pin) && round < 0;" },
    ],
    noticedBy: [{ file: "test/gateway/recovery.test.ts", title: "assets that were lost on the way are published again in a round" }],
  },
  {
    rule: 18,
    without: "the round that the missing indexes are told for",
    changes: [
      { file: MESSAGES, from: "missingForRound: asked ? held.missingWanted : undefined,", to: "missingForRound: asked ? 0 : undefined," },
    ],
    noticedBy: [
      { file: MAIN_TEST, title: "after a restart in the middle the run goes on, and missing indexes are told for the round that asked" },
    ],
  },
  {
    rule: 18,
    without: "a gateway's silence about another one's runs",
    changes: [{ file: MESSAGES, from: '  if (held && held.gateway !== "" && held.gateway !== gateway) return "later";\n', to: "" }],
    noticedBy: [{ file: "services/packager/sync-messages.test.ts", title: "what a gateway says of another one's run changes nothing" }],
  },
  {
    rule: 18,
    without: "the time for which a run is kept that its gateway does not know",
    changes: [
      { file: MESSAGES, from: "performance.now() - held.unknownSince >= unknownKeepMs", to: "performance.now() >= held.unknownSince" },
    ],
    noticedBy: [
      {
        file: "services/packager/sync-messages.test.ts",
        title: "a run that its gateway does not name is kept for a while, and not packed",
      },
    ],
  },
  {
    rule: 18,
    without: "the way back of a run that was given up and is pinned here again",
    changes: [{ file: "services/packager/held-runs.ts", from: "      ended.delete(run);\n      const fresh", to: "      const fresh" }],
    noticedBy: [
      {
        file: "services/packager/sync-messages.test.ts",
        title: "a run that its gateway does not name is kept for a while, and not packed; named again",
      },
    ],
  },
  {
    rule: 18,
    without: "`other_runs`: what a packager holds for other gateways",
    changes: [
      {
        file: "services/packager/main.ts",
        from: "otherRuns: runs.all().length - told.length,",
        to: "otherRuns: told.length - told.length,",
      },
    ],
    noticedBy: [{ file: SEVERAL, title: "their sessions are spread over the packagers" }],
  },
  {
    rule: 18,
    without: "`other_runs` in the choice of a packager",
    changes: [
      {
        file: "services/gateway/packagers.ts",
        from: "load: openRuns(seen.packager) + seen.otherRuns }",
        to: "load: openRuns(seen.packager) }",
      },
    ],
    noticedBy: [
      {
        file: "services/gateway/packagers.test.ts",
        title: "the next run goes to whoever has the fewest, those of other gateways included",
      },
      { file: SEVERAL, title: "their sessions are spread over the packagers" },
    ],
  },
];
