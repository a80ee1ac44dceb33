// In: a histogram's series from Prometheus, classic or native. Out: readings by group and step, in common buckets. Pure.
import type { Buckets } from '@plumbline/verdict';
import { stepCount, stepOf, type Reading } from './increases.ts';
import type { NativeHistogram, PrometheusSeries, Steps } from './prometheus.ts';

type Labels = PrometheusSeries['metric'];

/** Readings of one version on one node. */
export interface Group {
  readonly labels: Labels;
  readonly readings: (Reading | undefined)[];
}

/** Histograms that share their buckets. */
export interface Histograms {
  readonly buckets: Buckets;
  readonly groups: readonly Group[];
}

/** Joins the `le` series of classic histograms; of bounds that not every group has, none is used. */
export const classicHistograms = (series: readonly PrometheusSeries[], steps: Steps): Histograms => {
  const byGroup = new Map<string, { labels: Labels; byBound: Map<number, Float64Array> }>();
  for (const { metric, values = [] } of series) {
    const { le = '', ...labels } = metric;
    const key = keyOf(labels);
    const group = byGroup.get(key) ?? { labels, byBound: new Map<number, Float64Array>() };
    byGroup.set(key, group);
    group.byBound.set(le === '+Inf' ? Infinity : Number(le), column(values, steps));
  }
  const groups = [...byGroup.values()];
  const bounds = [...(groups[0]?.byBound.keys() ?? [])]
    .filter((bound) => groups.every(({ byBound }) => byBound.has(bound)))
    .sort((a, b) => a - b);
  return {
    buckets: { upperBounds: bounds.filter(Number.isFinite) },
    groups: groups.map(({ labels, byBound }) => {
      const columns = bounds.map((bound) => byBound.get(bound) ?? new Float64Array());
      const readings = Array.from({ length: stepCount(steps) }, (_, step) => differences(columns, step));
      return { labels, readings };
    }),
  };
};

/** Reads native histograms, all at the coarsest schema that occurs. */
export const nativeHistograms = (series: readonly PrometheusSeries[], steps: Steps): Histograms => {
  const all = series.flatMap(({ histograms = [] }) => histograms.map(([, histogram]) => histogram));
  const schema = all.reduce((lowest, histogram) => Math.min(lowest, schemaOf(histogram) ?? lowest), 8);
  return {
    buckets: { schema },
    groups: series.map(({ metric, histograms = [] }) => {
      const readings: (Reading | undefined)[] = Array.from({ length: stepCount(steps) }, () => undefined);
      for (const [unixSeconds, histogram] of histograms)
        readings[stepOf(steps, unixSeconds)] = nativeReading(histogram, schema);
      return { labels: metric, readings };
    }),
  };
};

/** Values by step, NaN where there is none. */
export const column = (values: NonNullable<PrometheusSeries['values']>, steps: Steps): Float64Array => {
  const found = new Float64Array(stepCount(steps)).fill(NaN);
  for (const [unixSeconds, value] of values) found[stepOf(steps, unixSeconds)] = Number(value);
  return found;
};

/** One string for a set of labels. */
export const keyOf = (labels: Labels): string => JSON.stringify(Object.entries(labels).sort());

/** Cumulative `le` counts as counts by bucket; undefined unless every bound has a value. */
const differences = (columns: readonly Float64Array[], step: number): Reading | undefined => {
  const counts: number[] = [];
  let below = 0;
  for (const values of columns) {
    const value = values[step] ?? NaN;
    if (Number.isNaN(value)) return undefined;
    counts.push(value - below);
    below = value;
  }
  return counts.length === 0 ? undefined : { offset: 0, counts };
};

/** Bucket i of schema s ends at 2^(i/2^s), so the ratio of its bounds tells s. */
const schemaOf = ({ buckets = [] }: NativeHistogram): number | undefined => {
  const [, lower, upper] = buckets.find(([, from]) => Number(from) > 0) ?? [];
  return lower === undefined ? undefined : Math.round(-Math.log2(Math.log2(Number(upper) / Number(lower))));
};

const nativeReading = (histogram: NativeHistogram, schema: number): Reading => {
  const found = (histogram.buckets ?? []).map(([, , upper, count]) => ({
    // A hair less, so that a bound that was rounded on its way does not end up one bucket higher.
    index: Math.ceil(Math.log2(Math.max(Number(upper), 2 ** -60)) * 2 ** schema - 1e-6),
    count: Number(count),
  }));
  if (found.length === 0) return { offset: 0, counts: [] };
  const offset = Math.min(...found.map(({ index }) => index));
  const counts = new Array<number>(Math.max(...found.map(({ index }) => index)) - offset + 1).fill(0);
  for (const { index, count } of found) counts[index - offset] = (counts[index - offset] ?? 0) + count;
  return { offset, counts };
};
