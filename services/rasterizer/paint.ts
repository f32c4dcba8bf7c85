/**
 * Paints a scene row by row, without ever having the image: contours become intervals, and each row lays them over each other in paint order.
 */
import { planBands } from "./bands.js";
import { ContourTracer } from "./contour-runs.js";
import { IntervalStore } from "./interval-store.js";
import { ERASED, type Layer } from "./layers.js";
import type { Band } from "./outline.js";
import type { Points } from "./points.js";
import { RowResolver } from "./resolve-row.js";
import { RowRuns, type RowSink } from "./row-runs.js";
import { contoursOf, type Scene } from "./scene.js";
import { MOST_LAYERS, RowSweeper } from "./sweep-row.js";

/**
 * Rows of edges that are held at once: about 20 MB of buffers, many times what fifteen objects take at 4K. All points are looked at once a band, so
 * fewer would cost masks of millions of points more time.
 */
const EDGE_ROWS_AT_ONCE = 2 ** 19;

/** Paints scenes one after the other; holds the buffers that this takes. */
export class Painter {
  readonly #tracer = new ContourTracer();
  readonly #store = new IntervalStore();
  readonly #sweeper = new RowSweeper();
  readonly #resolver = new RowResolver();
  #row = new RowRuns();
  #above = new RowRuns();
  readonly #edgeRowsAtOnce: number;
  #active = new Int32Array(64);

  constructor(edgeRowsAtOnce = EDGE_ROWS_AT_ONCE) {
    this.#edgeRowsAtOnce = edgeRowsAtOnce;
  }

  /** Bytes of the buffers that have grown with what was painted. */
  get heldBytes(): number {
    const rows = this.#row.heldBytes + this.#above.heldBytes + this.#active.byteLength;
    return this.#tracer.heldBytes + this.#store.heldBytes + this.#resolver.heldBytes + rows;
  }

  /** Hands every row of the image to `sink`, from top to bottom, with the one above. */
  paint(scene: Scene, sink: RowSink): void {
    this.#row.reset(0);
    for (const band of planBands(contoursOf(scene), scene.height, this.#edgeRowsAtOnce)) {
      this.#paintBand(this.#trace(scene, band), scene.width, band, sink);
    }
  }

  /** The band's layers in paint order: of every zone its region, then its holes. */
  #trace({ width, height, objects }: Scene, band: Band): Layer[] {
    this.#store.clear();
    const layers: Layer[] = [];
    const add = (points: Points, object: number, label: number) => {
      const rows = this.#tracer.trace(points, label, width, height, band, this.#store);
      if (rows) layers.push({ object, label, top: rows.top, bottom: rows.bottom, at: rows.at });
    };
    for (const [object, { label, zones }] of objects.entries()) {
      for (const { region, holes } of zones) {
        add(region, object, label);
        for (const hole of holes) add(hole, object, ERASED);
      }
    }
    return layers;
  }

  #paintBand(layers: readonly Layer[], width: number, band: Band, sink: RowSink): void {
    const byTop = orderByTop(layers);
    if (this.#active.length < layers.length) this.#active = new Int32Array(layers.length * 2);
    let active = 0;
    let started = 0;
    for (let row = band.first; row < band.end; row++) {
      const kept = this.#keepReaching(layers, active, row);
      const before = started;
      while (started < byTop.length && (layers[byTop[started] as number] as Layer).top === row) started++;
      const changed = row === band.first || kept !== active || started !== before;
      active = kept;
      for (let i = before; i < started; i++) this.#active[active++] = byTop[i] as number;
      if (started > before) this.#active.subarray(0, active).sort();
      [this.#row, this.#above] = [this.#above, this.#row];
      if (changed && active <= MOST_LAYERS) this.#sweeper.activate(layers, this.#active, active, row);
      const swept = active <= MOST_LAYERS && this.#sweeper.sweep(this.#store, width, this.#row);
      if (!swept) this.#resolver.resolve(layers, this.#active, active, row, width, this.#store, this.#row);
      sink(this.#row, this.#above);
    }
  }

  /** Drops the active layers that end above `row`, and keeps their order; returns how many are left. */
  #keepReaching(layers: readonly Layer[], active: number, row: number): number {
    let kept = 0;
    for (let i = 0; i < active; i++) {
      const layer = this.#active[i] as number;
      if ((layers[layer] as Layer).bottom >= row) this.#active[kept++] = layer;
    }
    return kept;
  }
}

/** Indexes of layers, ascending by their top, then in paint order. Both fit into one double, which the native sort takes without calling back. */
function orderByTop(layers: readonly Layer[]): Int32Array {
  const keys = Float64Array.from(layers, ({ top }, index) => top * layers.length + index).sort();
  return Int32Array.from(keys, (key) => key % layers.length);
}
