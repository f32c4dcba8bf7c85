/**
 * Counters, gauges and histograms of one process. Recording one figure costs some ten nanoseconds and no allocation where its series is bound
 * beforehand, so that metrics are always on; the OpenTelemetry SDK (sdk.ts) reads them from here when it is in use.
 */

export type MetricKind = "counter" | "upDownCounter" | "gauge" | "histogram";

export interface MetricOptions<K extends string> {
  /** As in OpenTelemetry: words joined by dots. */
  readonly name: string;
  /** UCUM: `s`, `By`, `1`, or what is counted, as `{asset}`. */
  readonly unit: string;
  readonly help: string;
  /** The names of its attributes. Their values are few: never an id, never a text of a user. */
  readonly attributes: readonly K[];
}

export type Values<K extends string> = Readonly<Record<K, string>>;

export interface Point {
  readonly attributes: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface HistogramPoint {
  readonly attributes: Readonly<Record<string, string>>;
  /** How many figures fell below each of the boundaries, and above the last: not summed up. */
  readonly counts: readonly number[];
  readonly sum: number;
}

interface FamilyHead {
  readonly name: string;
  readonly unit: string;
  readonly help: string;
}

/** One metric with all its figures. */
export type MetricFamily =
  | (FamilyHead & { readonly kind: Exclude<MetricKind, "histogram">; readonly points: readonly Point[] })
  | (FamilyHead & { readonly kind: "histogram"; readonly boundaries: readonly number[]; readonly points: readonly HistogramPoint[] });

/** A declared metric, as whoever exports it sees it. */
export interface Metric extends FamilyHead {
  readonly kind: MetricKind;
  readonly attributes: readonly string[];
  readonly boundaries: readonly number[] | undefined;
  collect(): Promise<MetricFamily>;
  /** Histograms tell every figure to the listener too; undefined: to none any more. */
  forward(listener: ((value: number, attributes: Readonly<Record<string, string>>) => void) | undefined): void;
}

export interface Counter<K extends string> {
  /** Adding 0 shows the series from then on: Prometheus misses the first step of one that was not there before it. */
  add(value: number, attributes: Values<K>): void;
  /** The same for attributes that are always these; the series is there with its first figure. */
  bind(attributes: Values<K>): (value: number) => void;
}

export interface Histogram<K extends string> {
  record(value: number, attributes: Values<K>): void;
  bind(attributes: Values<K>): (value: number) => void;
}

/** What a gauge shows now; a figure that can not be had is left out. */
export type Observer<K extends string> = () => Iterable<readonly [number, Values<K>]> | Promise<Iterable<readonly [number, Values<K>]>>;

export interface Gauge<K extends string> {
  /** Asked whenever figures are collected. Figures of several observers for the same attributes are added. Returns how to end it. */
  observe(observer: Observer<K>): () => void;
}

/** Whatever is handed in, memory stays bounded: further series of a metric are counted as one. */
const MAX_SERIES = 500;
const OVERFLOW = "other";

/** A gauge that waits for something outside must not hold up all others. */
const OBSERVER_TIMEOUT_MS = 2_000;

interface Series<V> {
  readonly attributes: Readonly<Record<string, string>>;
  readonly value: V;
}

/** The series of one metric by the values of its attributes. */
class SeriesMap<K extends string, V> {
  readonly #series = new Map<string, Series<V>>();

  constructor(
    private readonly names: readonly K[],
    private readonly create: () => V,
  ) {}

  of(values: Values<K>): Series<V> {
    let key = "";
    for (const name of this.names) key += `${values[name]}\u0000`;
    const known = this.#series.get(key);
    if (known) return known;
    if (this.#series.size >= MAX_SERIES) return this.#add(OVERFLOW, Object.fromEntries(this.names.map((name) => [name, OVERFLOW])));
    return this.#add(key, Object.fromEntries(this.names.map((name) => [name, values[name]])));
  }

  all(): Series<V>[] {
    return [...this.#series.values()];
  }

  #add(key: string, attributes: Readonly<Record<string, string>>): Series<V> {
    const known = this.#series.get(key);
    if (known) return known;
    const series = { attributes, value: this.create() };
    this.#series.set(key, series);
    return series;
  }
}

export interface Registry {
  counter<K extends string>(options: MetricOptions<K>): Counter<K>;
  gauge<K extends string>(options: MetricOptions<K> & { readonly kind?: "gauge" | "upDownCounter" | "counter" }): Gauge<K>;
  /** @param options.boundaries ascending, in the metric's unit */
  histogram<K extends string>(options: MetricOptions<K> & { readonly boundaries: readonly number[] }): Histogram<K>;
  metrics(): readonly Metric[];
}

export function createRegistry(): Registry {
  const declared = new Map<string, Metric>();
  const declare = (metric: Metric) => {
    if (declared.has(metric.name)) throw new Error(`the metric ${metric.name} is declared twice`);
    declared.set(metric.name, metric);
  };
  const noForward = () => undefined;

  return {
    metrics: () => [...declared.values()],

    counter<K extends string>({ name, unit, help, attributes }: MetricOptions<K>) {
      const series = new SeriesMap<K, { total: number }>(attributes, () => ({ total: 0 }));
      const head = { name, unit, help, kind: "counter" } as const;
      const collect = async () => ({
        ...head,
        points: series.all().map((one) => ({ attributes: one.attributes, value: one.value.total })),
      });
      declare({ ...head, attributes, boundaries: undefined, collect, forward: noForward });
      return {
        add(value: number, values: Values<K>) {
          series.of(values).value.total += value;
        },
        bind(values: Values<K>) {
          let one: Series<{ total: number }> | undefined;
          return (value: number) => {
            one ??= series.of(values);
            one.value.total += value;
          };
        },
      };
    },

    gauge<K extends string>({
      name,
      unit,
      help,
      attributes,
      kind = "gauge",
    }: MetricOptions<K> & { readonly kind?: "gauge" | "upDownCounter" | "counter" }) {
      const observers = new Set<Observer<K>>();
      const head = { name, unit, help, kind } as const;
      const collect = async () => {
        const series = new SeriesMap<K, { sum: number }>(attributes, () => ({ sum: 0 }));
        for (const figures of await Promise.all([...observers].map(observed))) {
          for (const [value, values] of figures) series.of(values).value.sum += value;
        }
        return { ...head, points: series.all().map((one) => ({ attributes: one.attributes, value: one.value.sum })) };
      };
      declare({ ...head, attributes, boundaries: undefined, collect, forward: noForward });
      return {
        observe(observer: Observer<K>) {
          observers.add(observer);
          return () => void observers.delete(observer);
        },
      };
    },

    histogram<K extends string>({
      name,
      unit,
      help,
      attributes,
      boundaries,
    }: MetricOptions<K> & { readonly boundaries: readonly number[] }) {
      const series = new SeriesMap<K, HistogramState>(attributes, () => new HistogramState(boundaries));
      const head = { name, unit, help, kind: "histogram", boundaries } as const;
      const collect = async () => ({ ...head, points: series.all().map((one) => one.value.point(one.attributes)) });
      let listener: Parameters<Metric["forward"]>[0];
      declare({
        ...head,
        attributes,
        collect,
        forward: (next) => {
          listener = next;
        },
      });
      const record = (one: Series<HistogramState>, value: number) => {
        one.value.record(value);
        listener?.(value, one.attributes);
      };
      return {
        record: (value: number, values: Values<K>) => record(series.of(values), value),
        bind(values: Values<K>) {
          let one: Series<HistogramState> | undefined;
          return (value: number) => {
            one ??= series.of(values);
            record(one, value);
          };
        },
      };
    },
  };
}

class HistogramState {
  readonly #counts: number[];
  #sum = 0;

  constructor(private readonly boundaries: readonly number[]) {
    this.#counts = new Array<number>(boundaries.length + 1).fill(0);
  }

  /** A figure equal to a boundary counts below it, as in OpenTelemetry and Prometheus. */
  record(value: number): void {
    let bucket = 0;
    while (bucket < this.boundaries.length && value > (this.boundaries[bucket] as number)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#sum += value;
  }

  point(attributes: Readonly<Record<string, string>>): HistogramPoint {
    return { attributes, counts: [...this.#counts], sum: this.#sum };
  }
}

async function observed<K extends string>(observer: Observer<K>): Promise<Iterable<readonly [number, Values<K>]>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly []>((resolve) => {
    timer = setTimeout(() => resolve([]), OBSERVER_TIMEOUT_MS);
  });
  try {
    return await Promise.race([observer(), late]);
  } catch {
    // What is watched is away; the next collection asks again.
    return [];
  } finally {
    clearTimeout(timer);
  }
}
