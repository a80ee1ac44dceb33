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
  /** Time in which its threads waited for a CPU, by who held it; undefined where nobody tells. */
  cpuWait: { ownSeconds: number; othersSeconds: number } | undefined;
  /** Time for which its own CPU quota held it back, summed over CPUs; undefined where nobody tells. */
  throttledSeconds: number | undefined;
}

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
      key: 'durations' | 'netDurations',
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
          increase ??= increaseOf(series.workload);
          increase[key][bucket] = (increase[key][bucket] ?? 0) + by;
          added += by;
        }
        if (increase !== undefined) onAdded?.(increase, series.labels.code ?? 'unknown', added);
        const reading = increase === undefined ? before : { first, counts: series.counts.slice(first, end) };
        histograms.set(series, reading);
        bytes += reading.counts.byteLength + bytesOfReading;
      }
    };

    const addCounter = (
      metric: CounterMetric,
      find: (workload: Workload) => Increase | undefined,
      add: (increase: Increase, by: number, series: CounterSeries) => void,
    ) => {
      for (const series of metric.series.values()) {
        const by = series.value - (countersBefore.get(series) ?? 0);
        counters.set(series, series.value);
        const increase = by > 0 ? find(series.workload) : undefined;
        if (increase !== undefined) add(increase, by, series);
        bytes += bytesOfReading;
      }
    };

    for (const metric of store.metrics) {
      const { name } = metric.definition;
      if (metric.kind === 'histogram') {
        if (name === metricNames.duration)
          addHistogram(metric, 'durations', ({ codes }, code, by) => (codes[code] = (codes[code] ?? 0) + by));
        if (name === metricNames.netDuration) addHistogram(metric, 'netDurations');
      } else if (name === metricNames.schedDelay) {
        addCounter(metric, increaseOf, (increase, by) => (increase.schedDelaySeconds += by));
      }
    }
    // Everything on a node waits for CPUs: only what also answered requests is kept.
    for (const metric of store.metrics) {
      if (metric.kind === 'histogram') continue;
      const { name } = metric.definition;
      if (name === metricNames.blame) {
        for (const increase of increases.values()) increase.cpuWait = { ownSeconds: 0, othersSeconds: 0 };
        addCounter(metric, seen, ({ cpuWait }, by, series) => {
          if (cpuWait !== undefined) cpuWait[isOwn(series) ? 'ownSeconds' : 'othersSeconds'] += by;
        });
      } else if (name === metricNames.throttled) {
        addCounter(metric, seen, (increase, by) => {
          increase.throttledSeconds = (increase.throttledSeconds ?? 0) + by;
        });
      }
    }
    histogramsBefore = histograms;
    countersBefore = counters;
    return [...increases.values()];
  };

  return { read, bytes: () => bytes };
};

const isOwn = ({ workload: { namespace, app, version }, labels }: CounterSeries): boolean =>
  labels.culprit_namespace === namespace && labels.culprit_app === app && labels.culprit_version === version;

const nothing: Reading = { first: 0, counts: new Float64Array() };

/** A map entry with its small object; measured, rounded up. */
const bytesOfReading = 256;

const emptyIncrease = (workload: Workload): Increase => ({
  workload,
  codes: {},
  durations: new Float64Array(bucketCount),
  netDurations: new Float64Array(bucketCount),
  schedDelaySeconds: 0,
  cpuWait: undefined,
  throttledSeconds: undefined,
});
