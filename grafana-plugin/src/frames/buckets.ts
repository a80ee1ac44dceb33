// Frames of histograms, classic or native, in; increases of bucket counts by version and node out.
import type { BucketCounts, Buckets } from '@plumbline/verdict';
import type { DataFrame } from '@grafana/data';
import { checkFalls, counted, groupsOf, readTotals, takeDifferences } from './counters.ts';
import type { Group, States } from './counters.ts';
import { isNative, nativeSeries, zeroBucket } from './native.ts';
import { seriesOf } from './series.ts';
import type { Clock, Labels, Series } from './series.ts';

/** Totals of one bucket; cumulative over bounds where they are classic. */
export interface Bucket extends Series {
  /** Upper bound in seconds of a classic bucket; ∞ for that of all. */
  readonly bound: number;
  /** Schema and index of a native bucket. */
  readonly native?: { readonly schema: number; readonly index: number };
}

/** Histograms of both kinds come in this form: one series per bucket. */
export interface BucketSeries {
  readonly kind: 'classic' | 'native';
  readonly series: readonly Bucket[];
  /** The same by version and node, and there by the bound or, where native, by schema and index. */
  readonly groups: readonly Group<number | string, Bucket>[];
  /** Series that were left out because `le` is no number. */
  readonly wrongLe: number;
}

/** Bucket increases of one version on one node; `counts` is undefined in windows without them. */
export interface Histograms {
  readonly counts: readonly (BucketCounts | undefined)[];
  readonly state: States;
}

/** Returns the bucket series of a role's frames. */
export function bucketSeries(frames: readonly DataFrame[], clock: Clock): BucketSeries {
  const native = frames.filter(isNative);
  if (native.length > 0) {
    const found = nativeSeries(native, clock);
    return { kind: 'native', series: found, groups: groupsOf(found, keyOf), wrongLe: 0 };
  }
  const series: Bucket[] = [];
  let wrongLe = 0;
  // A few hundred bounds come back in ten thousand series.
  const boundByLe = new Map<string | undefined, number | undefined>();
  for (const { labels, times, values } of seriesOf(frames, clock)) {
    const { le } = labels;
    let bound = boundByLe.get(le);
    if (bound === undefined) boundByLe.set(le, (bound = boundOf(le)));
    if (bound === undefined) wrongLe += 1;
    else series.push({ labels, times, values, bound });
  }
  return { kind: 'classic', series, groups: groupsOf(series, keyOf), wrongLe };
}

function keyOf({ bound, native }: Bucket): number | string {
  return native ? `${native.schema}:${native.index}` : bound;
}

function boundOf(le: string | undefined): number | undefined {
  if (le === '+Inf' || le === 'Inf') return Infinity;
  const bound = Number(le?.trim() === '' ? NaN : le);
  return Number.isFinite(bound) ? bound : undefined;
}

/** Returns the layout that all of some roles' histograms have in common; undefined without any. */
export function sharedBuckets(all: readonly BucketSeries[]): Buckets | undefined {
  const filled = all.filter(({ series }) => series.length > 0);
  if (filled.length === 0) return undefined;
  if (filled.every(({ kind }) => kind === 'native')) {
    let schema = Infinity;
    for (const { native } of filled.flatMap(({ series }) => series)) {
      schema = Math.min(schema, native?.schema ?? Infinity);
    }
    return { schema };
  }
  // Only bounds that every version on every node has: histograms of different layouts meet there.
  const groups = filled.flatMap((one) => one.groups.map(({ members }) => members));
  const upperBounds = [...(groups[0]?.keys() ?? [])]
    .filter((bound) => typeof bound === 'number')
    .filter((bound) => bound > 0 && bound < Infinity && groups.every((members) => members.has(bound)))
    .sort((a, b) => a - b);
  return upperBounds.length > 0 ? { upperBounds } : undefined;
}

/**
 * Returns the bucket increases of each group.
 * @throws NoCounterError as `increasesOf`.
 */
export function histogramsOf(
  { kind, groups }: BucketSeries,
  buckets: Buckets,
  nameOf: (labels: Labels) => string | undefined,
  times: readonly number[],
): ReadonlyMap<string, Histograms> {
  const { length } = times;
  const nativeTo = kind === 'native' && 'schema' in buckets ? buckets.schema : undefined;
  const histograms = new Map<string, Histograms>();
  // One group's increases are needed only until they are histograms.
  let rows = new Float64Array();
  for (const group of groups) {
    const name = nameOf(group.labels);
    if (name === undefined) continue;
    if (rows.length < group.members.size * length) rows = new Float64Array(group.members.size * length);
    const state = readTotals(rows, group, times);
    const columns = [...group.members.values()];
    const placed = nativeTo === undefined ? placeClassic(columns, buckets) : placeNative(columns, nativeTo);
    const filled = placed.filter(({ row, below }) =>
      takeDifferences(rows, row * length, below === undefined ? below : below * length, state, true),
    );
    histograms.set(name, { counts: countsOf(rows, filled, state), state });
  }
  checkFalls([...histograms.values()]);
  return histograms;
}

/** Which row of totals belongs to which bucket of the layout, and which row is part of it. */
interface Placed {
  readonly row: number;
  readonly bucket: number;
  readonly below?: number | undefined;
}

/** The widest bucket first: the next narrower one is taken out of its totals while they are still whole. */
function placeClassic(columns: readonly Bucket[], buckets: Buckets): readonly Placed[] {
  const bounds = 'upperBounds' in buckets ? buckets.upperBounds : [];
  const rowByBound = new Map(columns.map(({ bound }, row) => [bound, row]));
  const placed: Placed[] = [];
  // Without +Inf the rest above the last bound is not known, and taken as none.
  for (const [bucket, bound] of [...bounds, Infinity].entries()) {
    const row = rowByBound.get(bound);
    if (row !== undefined) placed.push({ row, bucket, below: placed.at(-1)?.row });
  }
  return placed.reverse();
}

function placeNative(columns: readonly Bucket[], schema: number): readonly Placed[] {
  return columns.map(({ native = { schema, index: 0 } }, row) => ({
    row,
    // The zero bucket goes to a bucket of a nanosecond: below anything that is measured.
    bucket:
      native.index === zeroBucket
        ? -30 * 2 ** schema
        : Math.ceil(native.index / 2 ** (native.schema - schema)),
  }));
}

/** The histogram of each counted window, over the buckets that any window has. */
function countsOf(rows: Float64Array, placed: readonly Placed[], state: States): Histograms['counts'] {
  const { length } = state;
  const lowest = Math.min(...placed.map(({ bucket }) => bucket));
  const highest = Math.max(...placed.map(({ bucket }) => bucket));
  const width = placed.length > 0 ? highest - lowest + 1 : 0;
  const all = new Float64Array(width * length);
  for (const { row, bucket } of placed) {
    let place = bucket - lowest;
    for (let window = 0; window < length; window++, place += width) {
      all[place] = (all[place] ?? 0) + (rows[row * length + window] ?? 0);
    }
  }
  const offset = placed.length > 0 ? lowest : 0;
  return Array.from(state, (known, window) =>
    known === counted ? { offset, counts: all.subarray(window * width, (window + 1) * width) } : undefined,
  );
}
