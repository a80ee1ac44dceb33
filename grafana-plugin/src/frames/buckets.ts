// Frames of histograms, classic or native, in; increases of bucket counts by version and node out.
import type { BucketCounts, Buckets } from '@plumbline/verdict';
import type { DataFrame } from '@grafana/data';
import { checkFalls, counted, fallen, fillIncreases, groupsOf } from './counters.ts';
import type { States } from './counters.ts';
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
  if (native.length > 0) return { kind: 'native', series: nativeSeries(native, clock), wrongLe: 0 };
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
  return { kind: 'classic', series, wrongLe };
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
  const groups = filled.flatMap(({ series }) => boundsOf(series));
  const upperBounds = [...(groups[0] ?? [])]
    .filter((bound) => bound > 0 && bound < Infinity && groups.every((bounds) => bounds.has(bound)))
    .sort((a, b) => a - b);
  return upperBounds.length > 0 ? { upperBounds } : undefined;
}

function boundsOf(series: readonly Bucket[]): readonly ReadonlySet<number>[] {
  const groups = new Map<string, Set<number>>();
  for (const { labels, bound } of series) {
    const group = `${labels.version ?? ''}\0${labels.node ?? ''}`;
    let bounds = groups.get(group);
    if (!bounds) groups.set(group, (bounds = new Set()));
    bounds.add(bound);
  }
  return [...groups.values()];
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
  const { length } = times;
  const nativeTo = kind === 'native' && 'schema' in buckets ? buckets.schema : undefined;
  const keyOf = ({ bound, native }: Bucket): number | string =>
    native ? `${native.schema}:${native.index}` : bound;
  const histograms = new Map<string, Histograms>();
  // One group's increases are needed only until they are histograms.
  let rows = new Float64Array();
  for (const [group, members] of groupsOf(series, groupOf, keyOf)) {
    const columns = [...members.values()];
    if (rows.length < columns.length * length) rows = new Float64Array(columns.length * length);
    const state = fillIncreases(rows, columns, times, true);
    const placed =
      nativeTo === undefined
        ? placeClassic(rows, columns, length, buckets, state)
        : placeNative(columns, nativeTo);
    histograms.set(group, { counts: countsOf(rows, placed, state), state });
  }
  checkFalls([...histograms.values()]);
  return histograms;
}

/** Which row of increases belongs to which bucket of the layout. */
type Placed = readonly { readonly row: number; readonly bucket: number }[];

/** Takes each bucket's increases out of the next wider one's, and finds the windows in which that cannot be; buckets that stay empty are left out. */
function placeClassic(
  rows: Float64Array,
  columns: readonly Bucket[],
  length: number,
  buckets: Buckets,
  state: States,
): Placed {
  const bounds = 'upperBounds' in buckets ? buckets.upperBounds : [];
  const rowByBound = new Map(columns.map(({ bound }, row) => [bound, row]));
  // Without +Inf the rest above the last bound is not known, and taken as none.
  const placed = [...bounds, Infinity].flatMap((bound, bucket) => {
    const row = rowByBound.get(bound);
    return row === undefined ? [] : [{ row, bucket }];
  });
  // The widest first, so that the narrower one is still whole. Most buckets of a fine layout stay empty.
  return placed.reverse().filter(({ row }, i) => {
    const narrower = placed[i + 1];
    return takeOut(rows, row * length, narrower && narrower.row * length, state);
  });
}

/** Takes the row at `narrow` out of that at `wide`; returns whether any counted window has something left. */
function takeOut(rows: Float64Array, wide: number, narrow: number | undefined, state: States): boolean {
  let isFilled = false;
  for (let window = 1; window < state.length; window++) {
    const below = narrow === undefined ? 0 : (rows[narrow + window] ?? 0);
    const count = (rows[wide + window] ?? 0) - below;
    rows[wide + window] = count;
    if (count === 0 || state[window] !== counted) continue;
    isFilled = true;
    // A bucket that holds more than the next wider one: the answer is torn.
    if (count < 0) state[window] = fallen;
  }
  return isFilled;
}

function placeNative(columns: readonly Bucket[], schema: number): Placed {
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
function countsOf(rows: Float64Array, placed: Placed, state: States): Histograms['counts'] {
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
