import type { Mutant } from "../mutant.js";

const WATCH = "services/gateway/watch-run.ts";
const DRIVE = "services/gateway/drive-run.ts";
const ROUND = "services/gateway/publish-round.ts";
const PIN = "services/gateway/pin-run.ts";
const CALLS = "services/gateway/gateway-calls.ts";
const RECOVERY = "test/gateway/recovery.test.ts";
const WATCH_TEST = "services/gateway/watch-run.test.ts";

/** Rules 6 and 7. */
export const watchingMutants: readonly Mutant[] = [
  {
    rule: 6,
    without: "rounds",
    changes: [{ file: WATCH, from: "if (now - quietSince < limits.stall) return", to: "if (now >= quietSince) return" }],
    noticedBy: [
      { file: WATCH_TEST, title: "no progress for the stall time begins a round" },
      { file: RECOVERY, title: "assets that were lost on the way are published again in a round" },
    ],
  },
  {
    rule: 6,
    without: "asking what is missing: a round publishes everything",
    changes: [{ file: ROUND, from: "rows: pin.round === 0 ?", to: "rows: pin.round >= 0 ?" }],
    noticedBy: [{ file: RECOVERY, title: "assets that were lost on the way are published again in a round, each once" }],
  },
  {
    rule: 6,
    without: "asking again when not all could be told at once",
    changes: [{ file: "services/gateway/missing-rows.ts", from: "    if (missing.complete) return;\n", to: "    if (missing) return;\n" }],
    noticedBy: [
      {
        file: "services/gateway/missing-rows.test.ts",
        title: "a packager that tells the first ranges only is asked until it has told all",
      },
      {
        file: RECOVERY,
        title: "assets that were lost on the way are published again in a round, each once, even when they are told piece by piece",
      },
    ],
  },
  {
    rule: 6,
    without: "the end after fruitless rounds",
    changes: [{ file: WATCH, from: "if (fruitless < MAX_FRUITLESS_ROUNDS) return", to: "if (fruitless >= 0) return" }],
    noticedBy: [
      { file: WATCH_TEST, title: "three fruitless rounds end the session" },
      { file: RECOVERY, title: "three rounds that bring nothing end the session with an error that says so" },
    ],
  },
  {
    rule: 6,
    without: "the rounds' count in the store: a restart begins it anew",
    changes: [
      { file: DRIVE, from: "round: pin.round + 1, position: 0, fruitless } }", to: "round: pin.round + 1, position: 0, fruitless: 0 } }" },
    ],
    noticedBy: [{ file: RECOVERY, title: "three rounds that bring nothing end the session with an error that says so" }],
  },
  {
    rule: 6,
    without: "counting stalls from the end of an outage",
    changes: [
      {
        file: WATCH,
        from: "Math.max(progress.movedAt, situation.roundAt, situation.awayUntil)",
        to: "Math.max(progress.movedAt, situation.roundAt)",
      },
    ],
    noticedBy: [
      { file: WATCH_TEST, title: "the time that bus or packager were away is no stall" },
      { file: RECOVERY, title: "while the bus is away nothing counts as a stall" },
      { file: RECOVERY, title: "a blob store that is away while the bus is there makes no round fruitless" },
    ],
  },
  {
    rule: 6,
    without: "the end of what makes no progress at all",
    changes: [{ file: WATCH, from: "if (now - progress.movedAt >= limits.giveUp) return", to: "if (limits.giveUp < 0) return" }],
    noticedBy: [
      { file: WATCH_TEST, title: "when all assets are done the archive is waited for, but not for ever" },
      { file: RECOVERY, title: "a run without any progress ends with an error in the end, whatever it waits for" },
    ],
  },
  {
    rule: 6,
    without: "the round after a restart on the memory bus",
    changes: [{ file: DRIVE, from: "    else if (parts.volatileBus) await resumeOnVolatileBus(run, parts);\n", to: "" }],
    noticedBy: [{ file: RECOVERY, title: "on a bus that forgets, a restarted gateway publishes what the packager lacks in a new round" }],
  },
  {
    rule: 6,
    without: "believing a packager that has lost a record",
    changes: [
      {
        file: "services/gateway/run-progress.ts",
        from: "        accounted: spooled.accounted,\n",
        to: "        accounted: Math.max(before.accounted, spooled.accounted),\n",
      },
    ],
    noticedBy: [
      {
        file: "services/gateway/run-progress.test.ts",
        title: "a packager that finds a damaged record is believed when it tells less than before",
      },
      { file: RECOVERY, title: "a packager that finds a damaged record is given that asset again, though it had told of all" },
    ],
  },
  {
    rule: 7,
    without: "a new epoch when the ledger is another",
    changes: [{ file: WATCH, from: 'if (packager && packager.ledgerId !== pin.ledgerId) return newEpoch(pin, "ledger");', to: "" }],
    noticedBy: [
      { file: WATCH_TEST, title: "another ledger means a new epoch, but not for ever" },
      { file: RECOVERY, title: "a packager that lost its volume gets everything again in a new epoch" },
    ],
  },
  {
    rule: 7,
    without: "another packager for a silent one's runs",
    changes: [
      { file: WATCH, from: "if (now - heardAt >= limits.silence && situation.replacement) return", to: "if (heardAt > now) return" },
    ],
    noticedBy: [
      { file: WATCH_TEST, title: "a silent packager is replaced when there is another one, and waited for when there is none" },
      { file: RECOVERY, title: "a packager that falls silent loses its run to another one" },
      { file: "test/pipeline/several.test.ts", title: "a packager that falls silent loses its sessions to the other one" },
    ],
  },
  {
    rule: 7,
    without: "the next number: the new epoch is called as the old one",
    changes: [{ file: PIN, from: "epoch: (pin?.epoch ?? 0) + 1,", to: "epoch: pin?.epoch ?? 1," }],
    noticedBy: [
      { file: RECOVERY, title: "a packager that lost its volume gets everything again in a new epoch" },
      { file: RECOVERY, title: "a packager that falls silent loses its run to another one, and its late report is refused" },
    ],
  },
  {
    rule: 7,
    without: "position 0 in a new epoch",
    changes: [
      {
        file: PIN,
        from: "{ ...now, pin: next } : undefined",
        to: "{ ...now, pin: { ...next, position: now.pin?.position ?? 0 } } : undefined",
      },
    ],
    noticedBy: [{ file: RECOVERY, title: "a packager that lost its volume gets everything again in a new epoch" }],
  },
  {
    rule: 7,
    without: "round 0 in a new epoch",
    changes: [{ file: PIN, from: "round: 0, position: 0,", to: "round: pin?.round ?? 0, position: 0," }],
    noticedBy: [{ file: RECOVERY, title: "a new epoch begins with round 0, however many rounds there were" }],
  },
  {
    rule: 7,
    without: "waiting for the echo of a new epoch",
    changes: [{ file: ROUND, from: "const known = () => progress().echoed ||", to: "const known = () => pin.epoch > 0 ||" }],
    noticedBy: [
      { file: RECOVERY, title: "a packager that lost its volume gets everything again in a new epoch, and only after it has echoed it" },
    ],
  },
  {
    rule: 7,
    without: "refusing what an older epoch reports",
    changes: [
      {
        file: CALLS,
        from: 'if (record.state !== "open" || record.pin?.epoch !== epoch) throw',
        to: 'if (record.state !== "open" || !record.pin) throw',
      },
      { file: CALLS, from: "(epochOf(found) === epoch ? ending : undefined)", to: '(found.state === "open" ? ending : undefined)' },
    ],
    noticedBy: [{ file: RECOVERY, title: "a packager that falls silent loses its run to another one, and its late report is refused" }],
  },
  {
    rule: 7,
    without: "the end of a run whose packager is lost again and again",
    changes: [{ file: WATCH, from: "if (epoch < MAX_EPOCHS) return", to: "if (epoch < MAX_EPOCHS * 10) return" }],
    noticedBy: [{ file: WATCH_TEST, title: "another ledger means a new epoch, but not for ever" }],
  },
  {
    rule: 7,
    without: "finding out two packagers with one id",
    changes: [
      {
        file: "services/gateway/packagers.ts",
        from: "if (former.includes(ledgerId) && fresh(before)) {",
        to: "if (former.length > 1000) {",
      },
    ],
    noticedBy: [
      {
        file: "services/gateway/packagers.test.ts",
        title: "a volume that comes back while its successor is there is another packager's, and refused",
      },
      { file: "test/pipeline/several.test.ts", title: "two packagers with one id are found out: one of them stops and says why" },
    ],
  },
];
