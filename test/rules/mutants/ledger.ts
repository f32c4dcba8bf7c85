import type { Mutant } from "../mutant.js";

const LOG = "services/packager/run-log.ts";
const SCAN = "services/packager/scan-log.ts";
const SPOOL = "services/packager/spool-outcomes.ts";
const LEDGER = "services/packager/ledger.ts";
const LOG_TEST = "services/packager/run-log.test.ts";
const SPOOL_TEST = "services/packager/spool-outcomes.test.ts";
const LEDGER_TEST = "services/packager/ledger.test.ts";
const MAIN_TEST = "services/packager/main.test.ts";

/** Rules 16 and 17. */
export const ledgerMutants: readonly Mutant[] = [
  {
    rule: 16,
    without: "the commit before the ack",
    changes: [{ file: SPOOL, from: "      waiting.push(delivery);\n", to: "      waiting.push(delivery);\n      void delivery.ack();\n" }],
    noticedBy: [
      { file: SPOOL_TEST, title: "outcomes are acknowledged and counted after the commit that holds them, many with one" },
      { file: SPOOL_TEST, title: "a disk that fails is fatal, and nothing is acknowledged any more" },
    ],
  },
  {
    rule: 16,
    without: "the commit before the ledger counts",
    changes: [
      { file: SPOOL, from: "      await run.log?.commit();\n", to: "" },
      { file: SPOOL, from: "      committed(records);\n", to: "      committed(records);\n      await run.log?.commit();\n" },
    ],
    noticedBy: [{ file: SPOOL_TEST, title: "outcomes are acknowledged and counted after the commit that holds them" }],
  },
  {
    rule: 16,
    without: "fdatasync",
    changes: [{ file: LOG, from: "        await file.datasync();\n", to: "" }],
    noticedBy: [{ file: LOG_TEST, title: "a commit is on the disk when it resolves: all of it is written, then synced, once" }],
  },
  {
    rule: 16,
    without: "group commit: every outcome has its own",
    changes: [
      {
        file: SPOOL,
        from: "    const batch = waiting;\n    waiting = [];\n    waitingBytes = 0;\n",
        to: "    const batch = waiting.slice(0, 1);\n    waiting = waiting.slice(1);\n",
      },
    ],
    noticedBy: [{ file: SPOOL_TEST, title: "outcomes are acknowledged and counted after the commit that holds them, many with one" }],
  },
  {
    rule: 16,
    without: "cutting a torn tail",
    changes: [{ file: LOG, from: "      if (cut > 0) await file.truncate(goodEnd);\n", to: "" }],
    noticedBy: [{ file: LOG_TEST, title: "a torn tail is cut, and appending goes on behind the last good record" }],
  },
  {
    rule: 16,
    without: "the checksum of a record",
    changes: [{ file: SCAN, from: "  return crc === header.crc;", to: "  return crc >= 0;" }],
    noticedBy: [
      { file: LOG_TEST, title: "a damaged record in the middle is skipped, wherever the damage is, and the others stay" },
      { file: MAIN_TEST, title: "a torn tail and a rotten record are missing after a restart, nothing else is" },
    ],
  },
  {
    rule: 16,
    without: "reading on behind a bad record",
    changes: [{ file: SCAN, from: "      position = await nextMagic(window, position + 1);\n", to: "      position = window.size;\n" }],
    noticedBy: [
      { file: LOG_TEST, title: "a damaged record in the middle is skipped, wherever the damage is, and the others stay" },
      { file: MAIN_TEST, title: "a torn tail and a rotten record are missing after a restart, nothing else is" },
    ],
  },
  {
    rule: 16,
    without: "asking again for a record that rots under a running packager",
    changes: [{ file: "services/packager/pack-run.ts", from: "        await options.reload(run);\n", to: "" }],
    noticedBy: [{ file: MAIN_TEST, title: "a record that rots under a running packager is found when packing, and asked for again" }],
  },
  {
    rule: 16,
    without: "the end of a process whose disk fails",
    changes: [{ file: SPOOL, from: "      broken = true;\n", to: "      if (broken)\n" }],
    noticedBy: [{ file: SPOOL_TEST, title: "a disk that fails is fatal, and nothing is acknowledged any more" }],
  },
  {
    rule: 16,
    without: "the difference of a full disk: it ends the process",
    changes: [
      {
        file: "services/packager/disk-full.ts",
        from: 'return error instanceof Error && "code" in error && (',
        to: 'return error instanceof Error && "code" in error && error.name === "" && (',
      },
    ],
    noticedBy: [
      { file: LOG_TEST, title: "a full disk is told apart from a failing one, and leaves what was committed before" },
      { file: "test/pipeline/disk-full.test.ts", title: "a session says so and ends, whoever ran out of room; the next one has it again" },
    ],
  },
  {
    rule: 16,
    without: "deriving the ledger from the log at the start",
    changes: [{ file: "services/packager/held-runs.ts", from: "      ledger.accept(head.cell, location);\n", to: "" }],
    noticedBy: [{ file: MAIN_TEST, title: "after a restart in the middle the run goes on, and missing indexes are told" }],
  },
  {
    rule: 17,
    without: "the first outcome's precedence",
    changes: [{ file: LEDGER, from: '    if (this.#pages.state(cell.index) !== "none") return false;\n', to: "" }],
    noticedBy: [
      { file: LEDGER_TEST, title: "the first outcome of a cell wins, a repeat changes nothing" },
      { file: LEDGER_TEST, title: "what is final never changes" },
    ],
  },
  {
    rule: 17,
    without: "the first part's precedence: a repeat counts as another part",
    changes: [
      { file: LEDGER, from: "    open.cells.set(outcome.part,", to: "    open.cells.set(open.cells.size," },
      { file: LEDGER, from: "|| !open.cells.has(cell.part);", to: "|| cell.part >= 0;" },
    ],
    noticedBy: [{ file: LEDGER_TEST, title: "any order and any repetition of the same outcomes gives the same ledger" }],
  },
  {
    rule: 17,
    without: "all parts: the first makes an asset final",
    changes: [{ file: LEDGER, from: "    if (open.cells.size < open.parts) {", to: "    if (open.cells.size < 1) {" }],
    noticedBy: [
      { file: LEDGER_TEST, title: "an asset of several parts is final when all of them are there, and its masks come in part order" },
    ],
  },
  {
    rule: 17,
    without: "rejecting an asset of which a part is rejected",
    changes: [{ file: LEDGER, from: 'parts.find((part) => part.outcome.kind === "rejected") ?? ', to: "" }],
    noticedBy: [{ file: LEDGER_TEST, title: "an asset is rejected if any of its parts is, with the code of the lowest such part" }],
  },
  {
    rule: 17,
    without: "a whole-asset outcome's word on an unfinished asset",
    changes: [
      {
        file: LEDGER,
        from: "    if (cell.parts === 0) this.#settleAs(cell, location);",
        to: "    if (cell.parts === 0 && !open) this.#settleAs(cell, location);",
      },
    ],
    noticedBy: [{ file: LEDGER_TEST, title: "an outcome of the whole asset ends one that waits for parts, and later parts are repeats" }],
  },
  {
    rule: 17,
    without: "rejecting an asset whose parts disagree about their number",
    changes: [
      { file: LEDGER, from: "cell.part >= cell.parts || (open !== undefined && open.parts !== cell.parts)", to: "cell.part >= cell.parts" },
    ],
    noticedBy: [{ file: LEDGER_TEST, title: "a differing number of parts rejects the asset" }],
  },
];
