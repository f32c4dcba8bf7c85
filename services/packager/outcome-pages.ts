import type { Location } from "./ledger.js";

const STATES = ["none", "mask", "masks", "skipped", "rejected", "contradiction"] as const;

/** How an asset ended, as one byte: `mask` is a single one, `masks` several; `none` means not final. */
export type PageState = (typeof STATES)[number];

interface Page {
  readonly states: Uint8Array;
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
}

const PAGE_SIZE = 1024;

/** State and log location by index: 13 bytes an asset, allocated in pages, so that a stray high index costs one page. */
export class OutcomePages {
  readonly #pages = new Map<number, Page>();

  state(index: number): PageState {
    return STATES[this.#pages.get(Math.floor(index / PAGE_SIZE))?.states[index % PAGE_SIZE] ?? 0] ?? "none";
  }

  location(index: number): Location {
    const page = this.#pages.get(Math.floor(index / PAGE_SIZE));
    return { offset: page?.offsets[index % PAGE_SIZE] ?? 0, length: page?.lengths[index % PAGE_SIZE] ?? 0 };
  }

  set(index: number, state: PageState, { offset, length }: Location): void {
    const page = this.#pageOf(index);
    page.states[index % PAGE_SIZE] = STATES.indexOf(state);
    page.offsets[index % PAGE_SIZE] = offset;
    page.lengths[index % PAGE_SIZE] = length;
  }

  /** The first `limit` ranges [first, end) below `total` whose state is `none`, ascending. */
  gaps(total: number, limit: number): { first: number; end: number }[] {
    const gaps: { first: number; end: number }[] = [];
    for (let start = 0; start < total; start += PAGE_SIZE) {
      const states = this.#pages.get(start / PAGE_SIZE)?.states;
      const end = Math.min(start + PAGE_SIZE, total);
      for (let index = start; index < end; index++) {
        if (states && states[index - start] !== 0) continue;
        const gapEnd = states ? index + 1 : end;
        const last = gaps.at(-1);
        if (last?.end === index) last.end = gapEnd;
        else if (gaps.length === limit) return gaps;
        else gaps.push({ first: index, end: gapEnd });
        index = gapEnd - 1;
      }
    }
    return gaps;
  }

  #pageOf(index: number): Page {
    const number = Math.floor(index / PAGE_SIZE);
    let page = this.#pages.get(number);
    if (!page) {
      page = { states: new Uint8Array(PAGE_SIZE), offsets: new Float64Array(PAGE_SIZE), lengths: new Uint32Array(PAGE_SIZE) };
      this.#pages.set(number, page);
    }
    return page;
  }
}
