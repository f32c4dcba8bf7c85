import type { Mutant } from "../mutant.js";

const PUBLISH = "services/gateway/publish-assets.ts";
const ROUND = "services/gateway/publish-round.ts";
const CREDITS = "services/gateway/credits.ts";
const GLOBAL = "services/gateway/global-credits.ts";

/** Rules 3 to 5. */
export const publishingMutants: readonly Mutant[] = [
  {
    rule: 3,
    without: "the total in every answer to Sync",
    changes: [
      {
        file: "services/gateway/sync.ts",
        from: "return { run, epoch, round, total: frozen.total, state",
        to: "return { run, epoch, round, ...(book.of(run, pin).echoed ? {} : { total: frozen.total }), state",
      },
    ],
    noticedBy: [
      { file: "services/gateway/sync.test.ts", title: "the total is told in every answer, also when the run is known" },
      { file: "test/gateway/session.test.ts", title: "a session becomes rows on the bus and one answer with the signed URL" },
    ],
  },
  {
    rule: 3,
    without: "the right total in the answer to Sync",
    changes: [{ file: "services/gateway/sync.ts", from: "total: frozen.total, state", to: "total: frozen.total + 1, state" }],
    noticedBy: [{ file: "test/gateway/session.test.ts", title: "a session becomes rows on the bus and one answer with the signed URL" }],
  },
  {
    rule: 3,
    without: "the way of an export that has no assets",
    changes: [{ file: "services/packager/run-entries.ts", from: "  if (total === 0) return;\n", to: "" }],
    noticedBy: [{ file: "services/packager/main.test.ts", title: "an export without assets completes at once" }],
  },
  {
    rule: 4,
    without: "the prefix: whatever is acknowledged last is the position",
    changes: [{ file: PUBLISH, from: "let position: number | undefined;", to: "let position: number | undefined = index + 1;" }],
    noticedBy: [
      {
        file: "services/gateway/publish-assets.test.ts",
        title: "in whatever order acknowledgements come, the position is the longest acknowledged prefix",
      },
    ],
  },
  {
    rule: 4,
    without: "waiting for the broker before the position is told",
    changes: [
      {
        file: PUBLISH,
        from: "    const acknowledged = prefix(asset.index);\n",
        to: "    const acknowledged = prefix(asset.index);\n    acknowledged();\n",
      },
    ],
    noticedBy: [
      {
        file: "services/gateway/publish-assets.test.ts",
        title: "a bus that is away is waited for, and nothing behind it is told as published",
      },
    ],
  },
  {
    rule: 4,
    without: "recording the position",
    changes: [{ file: ROUND, from: "{ ...now.pin, position } }", to: "{ ...now.pin } }" }],
    noticedBy: [
      { file: "test/gateway/recovery.test.ts", title: "a gateway stopped while publishing goes on from its position, with the same ids" },
    ],
  },
  {
    rule: 4,
    without: "going on from the position after a restart",
    changes: [{ file: ROUND, from: "{ fromRow: pin.position }", to: "{ fromRow: 0 }" }],
    noticedBy: [
      { file: "test/gateway/recovery.test.ts", title: "a gateway stopped while publishing goes on from its position, with the same ids" },
    ],
  },
  {
    rule: 5,
    without: "the window",
    changes: [
      { file: CREDITS, from: "open < window && bytes", to: "open < 2 * window && bytes" },
      {
        file: GLOBAL,
        from: "if (globalWindow === undefined) return inFlight < window;",
        to: "if (globalWindow === undefined) return true;",
      },
    ],
    noticedBy: [
      { file: "services/gateway/credits.test.ts", title: "no more than the window is in flight" },
      { file: "test/gateway/session.test.ts", title: "no more assets are in flight than the window, however slow the outcomes are" },
    ],
  },
  {
    rule: 5,
    without: "the byte cap",
    changes: [{ file: CREDITS, from: "bytesInFlight + bytes <= maxBytes", to: "bytesInFlight <= maxBytes" }],
    noticedBy: [
      {
        file: "services/gateway/credits.test.ts",
        title: "whatever the sizes and the outcomes, window and byte cap hold and one is always allowed",
      },
    ],
  },
  {
    rule: 5,
    without: "always allowing one",
    changes: [{ file: CREDITS, from: "return open === 0 || (open < window", to: "return (open < window" }],
    noticedBy: [
      { file: "services/gateway/credits.test.ts", title: "a row larger than the byte cap is allowed when nothing else is in flight" },
    ],
  },
  {
    rule: 5,
    without: "max(0, ...): what was accounted for before is a debt",
    changes: [{ file: CREDITS, from: "Math.max(0, nextIndex - accounted)", to: "Math.abs(nextIndex - accounted)" }],
    noticedBy: [
      {
        file: "services/gateway/credits.test.ts",
        title: "assets that were accounted for before a restart published them again are no debt",
      },
    ],
  },
  {
    rule: 5,
    without: "what was in flight before a restart",
    changes: [{ file: ROUND, from: "pin.round === 0 ? pin.position : progress().accounted)", to: "progress().accounted)" }],
    noticedBy: [{ file: "test/gateway/recovery.test.ts", title: "what was in flight before a restart still counts in the window" }],
  },
  {
    rule: 5,
    without: "the window of a round",
    changes: [{ file: ROUND, from: "pin.round === 0 ? pin.position : progress().accounted)", to: "pin.position)" }],
    noticedBy: [{ file: "test/gateway/recovery.test.ts", title: "in a round, too, no more assets are in flight than the window" }],
  },
  {
    rule: 5,
    without: "the cap of parts an asset",
    changes: [
      {
        file: "services/filter/parts.ts",
        from: "  if (row.pages * tasks.length > limit) throw",
        to: "  if (row.pages * tasks.length > limit * 1000) throw",
      },
      { file: "services/filter/parts.ts", from: "  if (count > limit) throw", to: "  if (count > limit * 1000) throw" },
    ],
    noticedBy: [{ file: "services/filter/filter-asset.test.ts", title: "is rejected with more parts than the limit" }],
  },
  {
    rule: 5,
    without: "the global window",
    changes: [
      { file: GLOBAL, from: "if (inFlight >= shareOf(", to: "if (inFlight >= 1000 * shareOf(" },
      { file: GLOBAL, from: "total < globalWindow;", to: "total < 1000 * globalWindow;" },
    ],
    noticedBy: [
      { file: "services/gateway/global-credits.test.ts", title: "whatever comes, begins and ends in whatever order: the cap holds" },
      { file: "test/gateway/global-window.test.ts", title: "a second session gets its share of a window that the first has filled" },
    ],
  },
  {
    rule: 5,
    without: "the smallest share: runs that stand still keep the others from working",
    changes: [{ file: GLOBAL, from: "return inFlight < smallest || total < globalWindow;", to: "return total < globalWindow;" }],
    noticedBy: [
      {
        file: "services/gateway/global-credits.test.ts",
        title: "runs that stand still with all of the window leave the others their smallest share",
      },
    ],
  },
  {
    rule: 5,
    without: "giving back the share of a run that ends",
    changes: [{ file: ROUND, from: '  signal.addEventListener("abort", share.leave, { once: true });\n', to: "" }],
    noticedBy: [{ file: "test/gateway/global-window.test.ts", title: "a session that ends in the middle gives its share back" }],
  },
];
