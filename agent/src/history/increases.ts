// In: the store, again and again. Out: what each version has added since the last time.
import { metricNames } from '../series/names.ts';
import { bucketCount, filledRange } from '../series/native.ts';
import { workloadKey } from '../series/store.ts';
import type { CounterMetric, CounterSeries, HistogramMetric, Store } from '../series/store.ts';
import type { Workload } from '../workloads/workload.ts';

/** What one version did in a stretch of time; counts are by kernel bucket. */
export interface Increase {
  readonly workload: Workload;
  /** Requests by `code`. */
  readonly codes: Record<string, number>;
  readonly durations: Float64Array;
  readonly netDurations: Float64Array;
  schedDelaySeconds: number;
  /** Waits for a CPU, by slice. */
  readonly runqueueWaits: Float64Array;
  /** Time in which its threads waited for a CPU, by who held it; undefined where nobody tells. */
  blame: Blame[] | undefined;
  readonly figures: Figures;
}

/** CPU time that somebody held while a version waited for it. */
export interface Blame {
  readonly culprit: Workload;
  readonly seconds: number;
}

const figureByMetric = {
  [metricNames.throttled]: 'throttledSeconds',
  [metricNames.pressure]: 'cpuPressureSeconds',
  [metricNames.stolen]: 'stolenSeconds',
  [metricNames.cpu]: 'cpuSeconds',
  [metricNames.memory]: 'memoryBytes',
  [metricNames.retransmits]: 'retransmits',
  [metricNames.connectionFailures]: 'connectionFailures',
} as const;

/** What else is told of a version: increases, but for the memory. Absent where nobody tells. */
export type Figures = Partial<Record<(typeof figureByMetric)[keyof typeof figureByMetric], number>>;

/** The filled part of a series as it was; `first` is the bucket of the first count. */
interface Reading {
  readonly first: number;
  readonly counts: Float64Array;
}

/**
 * Returns a reader of increases. A series is known by its object: one that was evicted and comes again is a new
 * one and counts from nothing, as it does in the store. `bytes` is what the reader keeps.
 */
export const createIncreases = (): {
  readonly read: (store: Store) => readonly Increase[];
  readonly bytes: () => number;
} => {
  let histogramsBefore = new Map<object, Reading>();
  let countersBefore = new Map<object, number>();
  let bytes = 0;

  const read = (store: Store): readonly Increase[] => {
    const histograms = new Map<object, Reading>();
    const counters = new Map<object, number>();
    const increases = new Map<string, Increase>();
    const seen = (workload: Workload) => increases.get(workloadKey(workload));
    const increaseOf = (workload: Workload): Increase => {
      const known = seen(workload) ?? emptyIncrease(workload);
      increases.set(workloadKey(workload), known);
      return known;
    };
    bytes = 0;

    /** Adds what has come to the counts of its version; `onAdded` is told of how many observations. */
    const addHistogram = (
      metric: HistogramMetric,
      key: 'durations' | 'netDurations' | 'runqueueWaits',
      find: (workload: Workload) => Increase | undefined,
      onAdded?: (increase: Increase, code: string, by: number) => void,
    ) => {
      for (const series of metric.series.values()) {
        const before = histogramsBefore.get(series) ?? nothing;
        const [first, end] = filledRange(series.counts);
        let increase: Increase | undefined;
        let added = 0;
        for (let bucket = first; bucket < end; bucket++) {
          const by = (series.counts[bucket] ?? 0) - (before.counts[bucket - before.first] ?? 0);
          if (by <= 0) continue;
          increase ??= find(series.workload);
          added += by;
          if (increase !== undefined) increase[key][bucket] = (increase[key][bucket] ?? 0) + by;
        }
        if (increase !== undefined) onAdded?.(increase, series.labels.code ?? 'unknown', added);
        const reading = added === 0 ? before : { first, counts: series.counts.slice(first, end) };
        histograms.set(series, reading);
        bytes += reading.counts.byteLength + bytesOfReading;
      }
    };

    const growthOf = (series: CounterSeries): number => {
      const before = countersBefore.get(series) ?? 0;
      counters.set(series, series.value);
      bytes += bytesOfReading;
      return Math.max(0, series.value - before);
    };

    const addBlame = ({ series: all }: CounterMetric) => {
      for (const increase of increases.values()) increase.blame = [];
      for (const series of all.values()) {
        const { workload, culprit = workload } = series;
        const seconds = growthOf(series);
        if (seconds > 0) seen(workload)?.blame?.push({ culprit, seconds });
      }
    };

    const addFigure = ({ kind, series: all }: CounterMetric, figure: keyof Figures) => {
      // What has no series has counted nothing; but some kernels tell no pressure.
      if (kind === 'counter' && figure !== 'cpuPressureSeconds')
        for (const { figures } of increases.values()) figures[figure] = 0;
      for (const series of all.values()) {
        const { resource = 'cpu', kind: share = 'some' } = series.labels;
        if (resource !== 'cpu' || share !== 'some') continue;
        const by = kind === 'gauge' ? series.value : growthOf(series);
        const figures = seen(series.workload)?.figures;
        if (figures !== undefined) figures[figure] = (figures[figure] ?? 0) + by;
      }
    };

    for (const metric of store.metrics) {
      const { name } = metric.definition;
      if (metric.kind === 'histogram') {
        if (name === metricNames.duration)
          addHistogram(metric, 'durations', increaseOf, ({ codes }, code, by) => {
            codes[code] = (codes[code] ?? 0) + by;
          });
        if (name === metricNames.netDuration) addHistogram(metric, 'netDurations', increaseOf);
      } else if (name === metricNames.schedDelay) {
        for (const series of metric.series.values()) {
          const by = growthOf(series);
          if (by > 0) increaseOf(series.workload).schedDelaySeconds += by;
        }
      }
    }
    // Everything on a node waits for CPUs: only what also answered requests is kept.
    for (const metric of store.metrics) {
      const { name } = metric.definition;
      if (metric.kind === 'histogram') {
        if (name === metricNames.runqueue) addHistogram(metric, 'runqueueWaits', seen);
      } else if (name === metricNames.blame) addBlame(metric);
      else if (isFigure(name)) addFigure(metric, figureByMetric[name]);
    }
    histogramsBefore = histograms;
    countersBefore = counters;
    return [...increases.values()];
  };

  return { read, bytes: () => bytes };
};

const isFigure = (name: string): name is keyof typeof figureByMetric => Object.hasOwn(figureByMetric, name);

const nothing: Reading = { first: 0, counts: new Float64Array() };

/** A map entry with its small object; measured, rounded up. */
const bytesOfReading = 256;

const emptyIncrease = (workload: Workload): Increase => ({
  workload,
  codes: {},
  durations: new Float64Array(bucketCount),
  netDurations: new Float64Array(bucketCount),
  schedDelaySeconds: 0,
  runqueueWaits: new Float64Array(bucketCount),
  blame: undefined,
  figures: {},
});
