// What classic and native histograms have in common. In: increases, a row of buckets for each window. Out: histograms.
import type { BucketCounts, Buckets } from '@plumbline/verdict';
import { counted, fallen, isWhole, NoCounterError, notCountText } from './counters.ts';
import type { States } from './counters.ts';
import type { Labels, Series } from './series.ts';

/** Histograms of both kinds come in this form. */
export interface BucketSeries {
  /** Running totals: of each bucket where they are classic, of all requests where they are native. */
  readonly series: readonly Series[];
  readonly groups: readonly BucketGroup[];
  /** Series that were left out because `le` is no number. */
  readonly wrongLe: number;
}

/** The histograms of one version on one node. */
export interface BucketGroup {
  readonly labels: Labels;
  /** Upper bounds of classic buckets in seconds, or what tells native ones apart. */
  readonly layout: ReadonlySet<number> | { readonly schema: number };
  /**
   * Returns the increases from moment to moment in the buckets of a layout that all groups have in common.
   * @throws NoCounterError where they are no counts.
   */
  readonly increases: (buckets: Buckets, times: readonly number[]) => Histograms;
}

/** Bucket increases of one version on one node; `counts` is undefined in windows without them. */
export interface Histograms {
  readonly counts: readonly (BucketCounts | undefined)[];
  readonly state: States;
}

/** Increases in a row of buckets, window by window. */
export interface Rows {
  readonly increases: Float64Array;
  /** Buckets in a row. */
  readonly width: number;
  /** Index of the first. */
  readonly offset: number;
}

/**
 * Returns the rows as histograms, over the buckets that have counted in any window. A fall voids its window in `state`.
 * @throws NoCounterError where an increase is no whole number.
 */
export function histogramsIn(rows: Rows, state: States): Histograms {
  const { increases, width, offset } = rows;
  let [from, to] = [0, width];
  while (from < to && !isFilled(rows, from)) from += 1;
  while (from < to && !isFilled(rows, to - 1)) to -= 1;
  const counts = Array.from(state, (known, window) => {
    if (known !== counted) return undefined;
    const [begin, end] = [window * width + from, window * width + to];
    if (!hasFallen(increases, begin, end))
      return { offset: offset + from, counts: increases.subarray(begin, end) };
    state[window] = fallen;
    return undefined;
  });
  return { counts, state };
}

function isFilled({ increases, width }: Rows, bucket: number): boolean {
  for (let i = bucket + width; i < increases.length; i += width) if (increases[i] !== 0) return true;
  return false;
}

function hasFallen(increases: Float64Array, begin: number, end: number): boolean {
  let fell = false;
  for (let i = begin; i < end; i++) {
    const increase = increases[i] ?? 0;
    if (!isWhole(increase)) throw new NoCounterError(notCountText(increase));
    if (increase < 0) fell = true;
  }
  return fell;
}
