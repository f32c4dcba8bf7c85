/** What the gateway shows of its sessions whenever figures are collected. */
import {
  creditsInFlight,
  epochs,
  idleTime,
  openSessions,
  retries,
  rounds,
  sessionsAccepted,
  sessionsEnded,
  unconfirmedAnswers,
} from "../runtime/telemetry/metrics.js";
import { inFlight } from "./credits.js";
import type { ProgressBook } from "./run-progress.js";
import { isConfirmed } from "./run-record.js";
import type { RunStore } from "./run-store.js";

export interface GatewayFigures {
  readonly store: Pick<RunStore, "active" | "all">;
  readonly book: Pick<ProgressBook, "of">;
  readonly now: () => number;
}

/** What it counts is shown from the start, at 0: the first that fails must be seen as well. Returns how to end it. */
export function observeGateway({ store, book, now }: GatewayFigures): () => void {
  for (const counter of [sessionsAccepted, rounds]) counter.add(0, {});
  for (const outcome of ["exported", "failed"]) sessionsEnded.add(0, { "maskline.outcome": outcome });
  for (const reason of ["ledger", "silence"]) epochs.add(0, { "maskline.reason": reason });
  retries.add(0, { "maskline.stage": "hub" });
  const pinned = () =>
    store
      .active()
      .flatMap((record) =>
        record.state === "open" && record.pin ? [{ ...record, progress: book.of(record.run, record.pin), pin: record.pin }] : [],
      );
  const ends = [
    openSessions.observe(() => {
      const open = store.active().filter(({ state }) => state === "open").length;
      return [
        [store.active().length - open, { "maskline.state": "accepted" }],
        [open, { "maskline.state": "running" }],
      ];
    }),
    unconfirmedAnswers.observe(() => [[store.all().filter((record) => record.state === "ended" && !isConfirmed(record)).length, {}]]),
    idleTime.observe(() => [[Math.max(0, ...pinned().map(({ progress }) => now() - progress.movedAt)) / 1000, {}]]),
    creditsInFlight.observe(() => {
      // In a later round everything that is missing is under way.
      const assets = pinned().map(({ pin, progress, frozen }) =>
        inFlight(pin.round === 0 ? pin.position : frozen.total, progress.accounted),
      );
      return [[assets.reduce((sum, count) => sum + count, 0), {}]];
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}
