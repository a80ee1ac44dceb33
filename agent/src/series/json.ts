// In: the store. Out: the same as plain JSON, histograms in native buckets: what `top` and the demo read.
import { bucketOfNative, filledRange, nativeIndex } from './native.ts';
import type { Store } from './store.ts';

type Labels = Readonly<Record<string, string>>;

/** Counts of native buckets of schema 3, from index `offset` on. */
export interface JsonHistogram {
  readonly labels: Labels;
  readonly offset: number;
  readonly counts: readonly number[];
  readonly sumSeconds: number;
}

export interface JsonCounter {
  readonly labels: Labels;
  readonly value: number;
}

/** Everything that was counted since the agent started. */
export interface JsonSeries {
  readonly unixMs: number;
  readonly histograms: Readonly<Record<string, readonly JsonHistogram[]>>;
  readonly counters: Readonly<Record<string, readonly JsonCounter[]>>;
  /** Probes that are switched off to stay within the budget. */
  readonly off?: readonly string[];
}

export const seriesAsJson = ({ metrics }: Store, unixMs: number, off: readonly string[] = []): JsonSeries => {
  const histograms: Record<string, readonly JsonHistogram[]> = {};
  const counters: Record<string, readonly JsonCounter[]> = {};
  for (const metric of metrics) {
    if (metric.kind !== 'histogram') {
      counters[metric.definition.name] = [...metric.series.values()].map(({ labels, value }) => ({
        labels,
        value,
      }));
      continue;
    }
    histograms[metric.definition.name] = [...metric.series.values()].map(({ labels, counts, sumSeconds }) => {
      const [first, end] = filledRange(counts);
      return { labels, offset: nativeIndex(first), counts: [...counts.subarray(first, end)], sumSeconds };
    });
  }
  return { unixMs, histograms, counters, off };
};

/** Counts by kernel bucket, of several histograms together. */
export const mergedCounts = (histograms: readonly JsonHistogram[]): readonly number[] => {
  const counts: number[] = [];
  for (const histogram of histograms) {
    for (const [position, count] of histogram.counts.entries()) {
      const bucket = bucketOfNative(histogram.offset + position);
      counts[bucket] = (counts[bucket] ?? 0) + count;
    }
  }
  return counts;
};
