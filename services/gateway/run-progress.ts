/** What a run's packager told of it in Sync, kept in memory only: after a restart the next Sync tells it again. */
import { type IndexRange, RunPhase, type SpooledRun } from "../../proto/gen/maskline/v1/gateway.js";
import { type Bell, createBell } from "./bell.js";
import type { Pin } from "./run-record.js";

export interface MissingIndexes {
  readonly round: number;
  /** Ascending; the first ones when there are many. */
  readonly ranges: readonly IndexRange[];
  /** Whether these are all. */
  readonly complete: boolean;
}

export interface RunProgress {
  /** Of the epoch below: as told last. A packager that finds a damaged record tells less than before, and must be believed. */
  readonly accounted: number;
  readonly epoch: number;
  readonly bytes: number;
  readonly phase: RunPhase;
  /** The packager has named this epoch with the ledger that the run is pinned to. */
  readonly echoed: boolean;
  readonly missing: MissingIndexes | undefined;
  /** When any of it last passed what it had been in its round; when the epoch or the process began, before that. */
  readonly movedAt: number;
  /** What has to be passed. A telling that arrives late, or a loss that is made up for, is no progress by itself. */
  readonly highest: { readonly round: number; readonly accounted: number };
}

export interface ProgressBook {
  /** What is known of the run's present epoch. */
  of(run: string, pin: Pin): RunProgress;
  /** Takes in what its packager told. One out of order is believed too, until the next one comes, 2 s later at the most. */
  told(run: string, pin: Pin, total: number, spooled: SpooledRun): void;
  /** Asks for the missing indexes in the next answers to Sync, until they are told. */
  ask(run: string, pin: Pin): void;
  asked(run: string, pin: Pin): boolean;
  /** What the run's archive waits for, in a user's words; undefined: nothing that is known. */
  readonly trouble: Map<string, string>;
  /** Rings when something of the run has changed. */
  bell(run: string): Bell;
  /** Something of the run has changed. Nothing happens when nobody has asked for its bell. */
  ring(run: string): void;
  forget(run: string): void;
}

export function createProgressBook(now: () => number): ProgressBook {
  const progress = new Map<string, RunProgress>();
  const questions = new Map<string, { readonly epoch: number; readonly round: number }>();
  const bells = new Map<string, Bell>();
  const trouble = new Map<string, string>();

  const of = (run: string, { epoch }: Pin): RunProgress => {
    const known = progress.get(run);
    if (known?.epoch === epoch) return known;
    const fresh: RunProgress = {
      accounted: 0,
      epoch,
      bytes: 0,
      phase: RunPhase.UNSPECIFIED,
      echoed: false,
      missing: undefined,
      movedAt: now(),
      highest: { round: 0, accounted: 0 },
    };
    progress.set(run, fresh);
    return fresh;
  };
  const asked = (run: string, { epoch, round }: Pin) => {
    const question = questions.get(run);
    return question?.epoch === epoch && question.round === round;
  };
  const bell = (run: string) => {
    const known = bells.get(run) ?? createBell();
    bells.set(run, known);
    return known;
  };

  return {
    of,
    asked,
    trouble,
    bell,
    ask: (run, { epoch, round }) => questions.set(run, { epoch, round }),
    told(run, pin, total, spooled) {
      const before = of(run, pin);
      const answers = asked(run, pin) && spooled.missingForRound === pin.round;
      if (answers) questions.delete(run);
      // A round begins where the packager then is: what it brings counts, also when it replaces what was lost.
      const toPass = pin.round === before.highest.round ? before.highest.accounted : spooled.accounted;
      const moved = spooled.accounted > toPass || spooled.bytes > before.bytes || spooled.phase > before.phase;
      progress.set(run, {
        epoch: pin.epoch,
        accounted: spooled.accounted,
        bytes: Math.max(before.bytes, spooled.bytes),
        phase: Math.max(before.phase, spooled.phase),
        echoed: true,
        missing: answers ? missingOf(spooled, pin.round, total) : before.missing,
        movedAt: moved ? now() : before.movedAt,
        highest: { round: pin.round, accounted: Math.max(toPass, spooled.accounted) },
      });
      if (moved || answers || !before.echoed || spooled.accounted !== before.accounted) bells.get(run)?.ring();
    },
    ring: (run) => bells.get(run)?.ring(),
    forget(run) {
      progress.delete(run);
      questions.delete(run);
      trouble.delete(run);
      bells.delete(run);
    },
  };
}

function missingOf({ missing, accounted }: SpooledRun, round: number, total: number): MissingIndexes {
  const ranges = missing.filter(({ first, end }) => first < end && end <= total);
  const told = ranges.reduce((sum, { first, end }) => sum + end - first, 0);
  return { round, ranges, complete: told >= total - accounted };
}
