/** Which packager a run is packed by: each pinning is a new epoch (docs/delivery.md rule 7). */
import { UserFailure } from "../runtime/gateway-calls.js";
import type { Logger } from "../runtime/log.js";
import type { Packagers } from "./packagers.js";
import type { PinnedRun } from "./publish-round.js";
import type { ProgressBook } from "./run-progress.js";
import type { OpenRun, Pin } from "./run-record.js";
import type { RunStore } from "./run-store.js";
import type { Timing } from "./timing.js";
import { type UserLine, WAITING_FOR_PACKAGER_TEXT } from "./user-log.js";

export interface PinParts {
  readonly store: Pick<RunStore, "get" | "active" | "change">;
  readonly packagers: Packagers;
  readonly book: Pick<ProgressBook, "bell">;
  readonly timing: Pick<Timing, "now" | "tick" | "giveUp" | "waitNotice">;
  readonly tell: (run: string, line: UserLine, verbose: boolean) => void;
  readonly log: Logger;
}

/**
 * A new epoch on the packager with the fewest open runs; the user is told when there is none for a while.
 * A run that lost its ledger stays where it is, for its packager is there again. When the packager that was silent (`except`) comes back
 * before there is another one, nothing is changed; and so when the run has ended, for its packager may have reported it meanwhile.
 * @throws UserFailure when there was no packager for `giveUp`; the signal's reason when aborted.
 */
export async function pinToPackager(
  record: OpenRun,
  except: string | undefined,
  parts: PinParts,
  signal: AbortSignal,
): Promise<PinnedRun | undefined> {
  const { run, pin, frozen } = record;
  const { store, packagers, book, timing } = parts;
  const openRuns = (packager: string) =>
    store.active().filter((other) => other.state === "open" && other.run !== run && other.pin?.packager === packager).length;
  const since = timing.now();
  let noticed = false;
  while (store.get(run)?.state === "open") {
    const home = pin && except === undefined && packagers.inSync(pin.packager) ? packagers.seen(pin.packager) : undefined;
    const chosen = home ?? packagers.choose(openRuns, except);
    if (chosen) {
      const { packager, ledgerId } = chosen;
      const next: Pin = { packager, ledgerId, epoch: (pin?.epoch ?? 0) + 1, round: 0, position: 0, fruitless: 0, targets: [] };
      const changed = await store.change(run, (now) =>
        now.state === "open" && now.pin?.epoch === pin?.epoch ? { ...now, pin: next } : undefined,
      );
      if (changed) parts.log.info({ run, packager, epoch: next.epoch, total: frozen.total }, "the run is pinned to a packager");
      return changed && isPinned(changed) ? changed : undefined;
    }
    if (except !== undefined && packagers.inSync(except)) return undefined;
    const waited = timing.now() - since;
    if (waited >= timing.giveUp) throw new UserFailure("The export stopped: no packager was there to take it.");
    if (!noticed && waited >= timing.waitNotice) {
      noticed = true;
      parts.tell(run, { level: "WARNING", message: WAITING_FOR_PACKAGER_TEXT }, frozen.verbose);
    }
    await book.bell(run).next(timing.tick, signal);
  }
  return undefined;
}

export function isPinned(record: OpenRun): record is PinnedRun {
  return record.pin !== undefined;
}
