// In: a histogram's series from Prometheus, classic or native. Out: readings by group and step, in common buckets. Pure.
import type { Buckets } from '@plumbline/verdict';
import { stepCount, stepOf, type Reading } from './increases.ts';
import type { NativeHistogram, PrometheusSeries, Steps } from './prometheus.ts';
import type { LabelNames } from './queries.ts';

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

/**
 * Sums classic histograms by version and node, whatever other labels they have, and joins their `le` series; of
 * bounds that not every group has, none is used.
 */
export const classicHistograms = (
  series: readonly PrometheusSeries[],
  { version, node }: Pick<LabelNames, 'version' | 'node'>,
  steps: Steps,
): Histograms => {
  const byGroup = new Map<string, { labels: Labels; byBound: Map<number, Float64Array> }>();
  for (const { metric, values = [] } of series) {
    const key = `${metric[version]} ${metric[node]}`;
    const group = byGroup.get(key) ?? { labels: metric, byBound: new Map<number, Float64Array>() };
    byGroup.set(key, group);
    const bound = metric.le === '+Inf' ? Infinity : Number(metric.le);
    const known = group.byBound.get(bound);
    const found = column(values, steps);
    group.byBound.set(bound, known === undefined ? found : addColumns(known, found));
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

/**
 * Returns the bounds (values of `le`) between the least and the greatest value of any of the histograms, each given
 * as its series by `le`; the others say nothing and cost as much.
 */
export const usefulBounds = (histograms: readonly (readonly PrometheusSeries[])[]): readonly string[] => {
  const spans = histograms.map(filledSpan).filter((span) => span !== undefined);
  const least = Math.min(...spans.map(([first]) => first));
  const greatest = Math.max(...spans.map(([, last]) => last));
  const les = new Set(histograms.flat().map(({ metric: { le = '+Inf' } }) => le));
  return [...les]
    .filter((le) => Number(le) >= least && Number(le) <= greatest)
    .sort((a, b) => Number(a) - Number(b));
};

/** The last bound below all values, and the first above them; undefined without values. */
const filledSpan = (series: readonly PrometheusSeries[]): readonly [number, number] | undefined => {
  const bounds = series
    .map(({ metric: { le }, values = [] }) => ({ bound: le === '+Inf' ? Infinity : Number(le), values }))
    .sort((a, b) => a.bound - b.bound);
  const totals = new Map(bounds.at(-1)?.values);
  const first = bounds.findIndex(({ values }) => values.some(([, count]) => Number(count) > 0));
  const last = bounds.find(({ values }) => values.every(([at, count]) => count === totals.get(at)));
  return first < 0 ? undefined : [bounds[Math.max(0, first - 1)]?.bound ?? 0, last?.bound ?? Infinity];
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

/** Sums of what is there: a series that is new or gone takes no other with it. */
export const addColumns = (a: Float64Array, b: Float64Array): Float64Array =>
  a.map((value, step) => {
    const other = b[step] ?? NaN;
    return Number.isNaN(value) ? other : Number.isNaN(other) ? value : value + other;
  });

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
