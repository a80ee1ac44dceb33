// Frames of histograms, classic or native, in; increases of bucket counts by version and node out.
import type { BucketCounts, Buckets } from '@plumbline/verdict';
import type { DataFrame } from '@grafana/data';
import { counted, fallen, increasesOf } from './counters.ts';
import type { Increases } from './counters.ts';
import { seriesOf } from './series.ts';
import type { Labels, Series } from './series.ts';

/** Histograms of both kinds come in this form: one series per bucket, cumulative over `le` where classic. */
export interface BucketSeries {
  readonly kind: 'classic' | 'native';
  readonly series: readonly Series[];
  /** Series that were left out because `le` is no number. */
  readonly wrongLe: number;
}

/** Bucket increases of one version on one node; `counts` is undefined in windows without them. */
export interface Histograms {
  readonly counts: readonly (BucketCounts | undefined)[];
  readonly state: Uint8Array;
}

/** Returns the bucket series of a role's frames. */
export function bucketSeries(frames: readonly DataFrame[]): BucketSeries {
  const native = frames.filter(({ meta }) => meta?.type === ('heatmap-cells' as never));
  if (native.length > 0) return { kind: 'native', series: nativeSeries(native), wrongLe: 0 };
  const series = seriesOf(frames);
  const right = series.filter(({ labels }) => boundOf(labels) !== undefined);
  return { kind: 'classic', series: right, wrongLe: series.length - right.length };
}

/** Upper bound in seconds of a classic bucket; undefined where `le` says none. */
export function boundOf({ le }: Labels): number | undefined {
  if (le === '+Inf' || le === 'Inf') return Infinity;
  const bound = Number(le?.trim() === '' ? NaN : le);
  return Number.isFinite(bound) ? bound : undefined;
}

/** Returns the layout that all of some roles' histograms have in common; undefined without any. */
export function sharedBuckets(all: readonly BucketSeries[]): Buckets | undefined {
  const filled = all.filter(({ series }) => series.length > 0);
  if (filled.length === 0) return undefined;
  if (filled.every(({ kind }) => kind === 'native')) {
    return {
      schema: Math.min(...filled.flatMap(({ series }) => series.map(({ labels }) => schemaOf(labels)))),
    };
  }
  // Only bounds that every version on every node has: histograms of different layouts meet there.
  const boundsByGroup = new Map<string, Set<number>>();
  for (const [i, { series }] of filled.entries()) {
    for (const { labels } of series) {
      const group = `${i}\0${labels.version ?? ''}\0${labels.node ?? ''}`;
      const bounds = boundsByGroup.get(group) ?? new Set<number>();
      boundsByGroup.set(group, bounds);
      const bound = boundOf(labels);
      if (bound !== undefined) bounds.add(bound);
    }
  }
  const groups = [...boundsByGroup.values()];
  const upperBounds = [...(groups[0] ?? [])]
    .filter((bound) => bound > 0 && bound < Infinity && groups.every((bounds) => bounds.has(bound)))
    .sort((a, b) => a - b);
  return upperBounds.length > 0 ? { upperBounds } : undefined;
}

/**
 * Returns the bucket increases of each group.
 * @throws NoCounterError as `increasesOf`.
 */
export function histogramsOf(
  { kind, series }: BucketSeries,
  buckets: Buckets,
  groupOf: (labels: Labels) => string | undefined,
  times: readonly number[],
): ReadonlyMap<string, Histograms> {
  const groups = increasesOf(series, groupOf, ({ le = '' }) => le, times, true);
  const histograms = new Map<string, Histograms>();
  for (const [group, increases] of groups) {
    const isNative = kind === 'native' && 'schema' in buckets;
    histograms.set(
      group,
      isNative ? nativeHistograms(increases, buckets.schema) : classicHistograms(increases, buckets),
    );
  }
  return histograms;
}

function classicHistograms({ byKey, state }: Increases, buckets: Buckets): Histograms {
  const bounds = 'upperBounds' in buckets ? buckets.upperBounds : [];
  const byBound = new Map([...byKey].map(([le, increases]) => [boundOf({ le }), increases]));
  // Without +Inf the rest above the last bound is not known, and taken as none.
  const columns = [...bounds, Infinity].map((bound) => byBound.get(bound) ?? byBound.get(bounds.at(-1)));
  const checked = state.slice();
  const counts = Array.from(state, (known, window) => {
    if (known !== counted) return undefined;
    let below = 0;
    let first = -1;
    const list: number[] = [];
    let filled = 0;
    for (let i = 0; i < columns.length; i++) {
      const cumulative = columns[i]?.[window] ?? 0;
      const count = cumulative - below;
      below = cumulative;
      // A bucket that holds more than the next wider one: the answer is torn.
      if (count < 0) {
        checked[window] = fallen;
        return undefined;
      }
      if (count > 0 && first < 0) first = i;
      if (first < 0) continue;
      list.push(count);
      if (count > 0) filled = list.length;
    }
    list.length = filled;
    return { offset: Math.max(first, 0), counts: list };
  });
  return { counts, state: checked };
}

/** Native frames have a row per bucket and moment; `le` stands here for schema and index. */
function nativeSeries(frames: readonly DataFrame[]): readonly Series[] {
  return frames.flatMap(({ fields }) => {
    const column = (name: string): readonly unknown[] =>
      fields.find((field) => field.name === name)?.values ?? [];
    const labels = fields.find((field) => field.labels && Object.keys(field.labels).length > 0)?.labels ?? {};
    const [ends, lower, upper, amount] = ['xMax', 'yMin', 'yMax', 'count'].map(column);
    const byBucket = new Map<string, { times: number[]; values: number[] }>();
    ends?.forEach((end, row) => {
      const le = bucketName(Number(lower?.[row]), Number(upper?.[row]));
      const points = byBucket.get(le) ?? { times: [], values: [] };
      byBucket.set(le, points);
      points.times.push(Number(end) / 1000);
      points.values.push(Number(amount?.[row]));
    });
    return [...byBucket].map(([le, points]) => ({ labels: { ...labels, le }, ...points }));
  });
}

/** `3:-40` for bucket −40 of schema 3, and `zero` for the one around zero. */
function bucketName(lower: number, upper: number): string {
  if (!(lower > 0)) return 'zero';
  const schema = Math.round(-Math.log2(Math.log2(upper / lower)));
  return `${schema}:${Math.round(Math.log2(upper) * 2 ** schema)}`;
}

function schemaOf({ le = '' }: Labels): number {
  return le === 'zero' ? Infinity : Number(le.split(':')[0]);
}

function nativeHistograms({ byKey, state }: Increases, schema: number): Histograms {
  const columns = [...byKey].map(([le, increases]) => {
    const [own = schema, index = 0] = le.split(':').map(Number);
    // The zero bucket goes to a bucket of a nanosecond: below anything that is measured.
    return { index: le === 'zero' ? -30 * 2 ** schema : Math.ceil(index / 2 ** (own - schema)), increases };
  });
  const lowest = Math.min(...columns.map(({ index }) => index));
  const highest = Math.max(...columns.map(({ index }) => index));
  const counts = Array.from(state, (known, window) => {
    if (known !== counted) return undefined;
    const list = new Array<number>(highest - lowest + 1).fill(0);
    for (const { index, increases } of columns)
      list[index - lowest] = (list[index - lowest] ?? 0) + (increases[window] ?? 0);
    return { offset: lowest, counts: list };
  });
  return { counts, state };
}
