/**
 * The ledger of one run and epoch: which assets are final, how they ended, and where in the log their records lie. Derived from the log
 * and from nothing else, so that reading the log again gives the same ledger (docs/delivery.md rules 16 and 17).
 */
import { LocationList } from "./location-list.js";
import { countNames, type NameCounts } from "./name-counts.js";
import { OutcomePages, type PageState } from "./outcome-pages.js";

/** Where a record lies in the log, in bytes. */
export interface Location {
  readonly offset: number;
  readonly length: number;
}

/** How one cell (index, part) ended. `part` and `parts` are both 0 when it speaks of the whole asset. */
export interface CellOutcome {
  readonly index: number;
  readonly part: number;
  readonly parts: number;
  readonly kind: "mask" | "skipped" | "rejected";
  /** The rule of a skipped one, the code of a rejected one; empty for a mask. */
  readonly why: string;
  readonly dropped: readonly { readonly kind: string; readonly count: number }[];
}

/** How a final asset ended, and the records that say so. */
export type FinalAsset =
  /** In part order. */
  | { readonly kind: "masks"; readonly masks: readonly Location[] }
  | { readonly kind: "skipped"; readonly record: Location }
  /** `contradiction`: the record itself says otherwise, but its number of parts differs from what was said before. */
  | { readonly kind: "rejected"; readonly record: Location; readonly contradiction: boolean };

export interface LedgerCounts {
  readonly maskedAssets: number;
  readonly masks: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly rejected: Readonly<Record<string, number>>;
  readonly dropped: Readonly<Record<string, number>>;
}

interface Part extends Location {
  readonly outcome: CellOutcome;
}

interface OpenAsset {
  readonly parts: number;
  readonly cells: Map<number, Part>;
}

/** The code of an asset whose messages disagree about its number of parts (REJECT_CODES in proto/outcomes.ts). */
export const PARTS_DIFFER = "parts_differ";

/**
 * 13 bytes an asset, and 12 more a mask where it has several. An asset of several parts takes some hundred bytes a part until it is final;
 * the gateway's window bounds how many are under way (docs/delivery.md rule 5).
 */
export class Ledger {
  readonly #pages = new OutcomePages();
  /** Assets of several parts that are not final. */
  readonly #open = new Map<number, OpenAsset>();
  /** The masks of the final assets of several masks, an asset's one after the other. */
  readonly #masks = new LocationList();
  readonly #skipped: NameCounts = countNames();
  readonly #rejected: NameCounts = countNames();
  readonly #dropped: NameCounts = countNames();
  #accounted = 0;
  #maskedAssets = 0;
  #maskCount = 0;

  /** Assets that are final. */
  get accounted(): number {
    return this.#accounted;
  }

  /** Whether `accept` would change anything. */
  isNews(cell: CellOutcome): boolean {
    if (this.#pages.state(cell.index) !== "none") return false;
    const open = this.#open.get(cell.index);
    return open === undefined || cell.parts !== open.parts || !open.cells.has(cell.part);
  }

  /** Takes one recorded outcome. The first wins per cell, and what is final never changes. */
  accept(cell: CellOutcome, location: Location): "recorded" | "duplicate" {
    if (!this.isNews(cell)) return "duplicate";
    const open = this.#open.get(cell.index);
    if (cell.parts === 0) this.#settleAs(cell, location);
    else if (cell.part >= cell.parts || (open !== undefined && open.parts !== cell.parts)) this.#settleContradiction(cell, location);
    else if (cell.parts === 1) this.#settleAs(cell, location);
    else this.#addPart(cell, location, open ?? { parts: cell.parts, cells: new Map() });
    return "recorded";
  }

  /** How the asset ended; undefined while it is not final. */
  final(index: number): FinalAsset | undefined {
    const state = this.#pages.state(index);
    switch (state) {
      case "none":
        return undefined;
      case "mask":
        return { kind: "masks", masks: [this.#pages.location(index)] };
      case "masks":
        return { kind: "masks", masks: this.#masksOf(index) };
      case "skipped":
        return { kind: "skipped", record: this.#pages.location(index) };
      default:
        return { kind: "rejected", record: this.#pages.location(index), contradiction: state === "contradiction" };
    }
  }

  counts(): LedgerCounts {
    return {
      maskedAssets: this.#maskedAssets,
      masks: this.#maskCount,
      skipped: this.#skipped.all(),
      rejected: this.#rejected.all(),
      dropped: this.#dropped.all(),
    };
  }

  /** Whether every index below `total` is final. */
  isComplete(total: number): boolean {
    return this.#accounted >= total && this.missing(total, 1).length === 0;
  }

  /** The indexes below `total` that are not final: the first `limit` ranges [first, end), ascending. */
  missing(total: number, limit: number): { first: number; end: number }[] {
    return this.#pages.gaps(total, limit);
  }

  #addPart(outcome: CellOutcome, { offset, length }: Location, open: OpenAsset): void {
    open.cells.set(outcome.part, { outcome, offset, length });
    if (open.cells.size < open.parts) {
      this.#open.set(outcome.index, open);
      return;
    }
    const parts = [...open.cells.values()].sort((a, b) => a.outcome.part - b.outcome.part);
    const masks = parts.filter((part) => part.outcome.kind === "mask");
    const decisive = parts.find((part) => part.outcome.kind === "rejected") ?? (masks.length === 0 ? parts[0] : undefined);
    if (decisive) this.#settleAs(decisive.outcome, decisive);
    else this.#settleMasks(outcome.index, masks);
  }

  #settleAs(cell: CellOutcome, location: Location): void {
    this.#settle(cell.index, cell.kind, location);
    if (cell.kind === "mask") this.#countMasks([cell]);
    else (cell.kind === "skipped" ? this.#skipped : this.#rejected).add(cell.why, 1);
  }

  #settleContradiction(cell: CellOutcome, location: Location): void {
    this.#settle(cell.index, "contradiction", location);
    this.#rejected.add(PARTS_DIFFER, 1);
  }

  #settleMasks(index: number, masks: readonly Part[]): void {
    // Of such an asset the pages hold where its masks begin in the list, and how many they are.
    this.#settle(index, "masks", { offset: this.#masks.size, length: masks.length });
    for (const mask of masks) this.#masks.add(mask);
    this.#countMasks(masks.map(({ outcome }) => outcome));
  }

  #settle(index: number, state: PageState, location: Location): void {
    this.#open.delete(index);
    this.#pages.set(index, state, location);
    this.#accounted += 1;
  }

  #countMasks(masks: readonly CellOutcome[]): void {
    this.#maskedAssets += 1;
    this.#maskCount += masks.length;
    for (const { dropped } of masks) for (const { kind, count } of dropped) this.#dropped.add(kind, count);
  }

  #masksOf(index: number): Location[] {
    const { offset, length } = this.#pages.location(index);
    return this.#masks.slice(offset, length);
  }
}
