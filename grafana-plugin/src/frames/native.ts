// Frames of native histograms in, a row for each bucket of each moment; their groups, a version on a node each, out.
import type { Buckets } from '@plumbline/verdict';
import type { DataFrame } from '@grafana/data';
import { histogramsIn } from './histograms.ts';
import type { BucketSeries, Histograms } from './histograms.ts';
import {
  counted,
  duplicateText,
  groupsOf,
  isWhole,
  NoCounterError,
  notCountText,
  unseen,
} from './counters.ts';
import { createScratch, indicesOf, numbersOf } from './series.ts';
import type { Clock, Series } from './series.ts';

/** Whether a frame is a native histogram. */
export function isNative({ meta }: DataFrame): boolean {
  return meta?.type === ('heatmap-cells' as never);
}

/** Returns the histograms of all frames, one of which is a version on a node. */
export function nativeGroups(frames: readonly DataFrame[], clock: Clock): BucketSeries {
  const series = frames.map((frame) => histogramOf(frame, clock));
  const groups = groupsOf(series, () => '').flatMap(({ members, labels, twice }) =>
    [...members.values()].map((one) => ({
      labels,
      layout: { schema: one.schema },
      increases: (buckets: Buckets, times: readonly number[]) => {
        if (twice) throw new NoCounterError(duplicateText(twice));
        return increasesOf(one, 'schema' in buckets ? buckets.schema : NaN, times);
      },
    })),
  );
  return { series, groups, wrongLe: 0 };
}

/** One frame; `values` is how many observations there are at each moment, NaN where the histogram is not known. */
interface Histogram extends Series {
  readonly values: Float64Array;
  /** The coarsest of its buckets. */
  readonly schema: number;
  readonly bounds: readonly Bound[];
  /** Row by row: what a bucket has counted, and which of `bounds` it is. */
  readonly amounts: ArrayLike<unknown>;
  readonly boundOf: Uint32Array;
  /** The first row of each moment, and the end. */
  readonly starts: readonly number[];
}

interface Bound {
  readonly schema: number;
  readonly index: number;
}

const [endScratch, upperScratch, amountScratch] = [createScratch(), createScratch(), createScratch()];

function histogramOf({ fields }: DataFrame, clock: Clock): Histogram {
  const column = (name: string): readonly number[] =>
    (fields.find((field) => field.name === name)?.values ?? []) as readonly number[];
  const labels = fields.find((field) => field.labels && Object.keys(field.labels).length > 0)?.labels ?? {};
  const ends = numbersOf(column('xMax'), endScratch);
  const amounts = column('count');
  const { bounds, boundOf, starts } = placesOf(ends, column('yMin'), numbersOf(column('yMax'), upperScratch));
  return {
    labels,
    times: clock(starts.slice(0, -1).map((row) => ends[row] ?? NaN)),
    values: sumsOf(numbersOf(amounts, amountScratch), starts),
    schema: Math.min(...bounds.map(({ schema }) => schema)),
    ...{ bounds, boundOf, starts, amounts },
  };
}

/** Which bucket each row is of, and where the moments begin. */
function placesOf(
  ends: Float64Array,
  lowers: readonly number[],
  uppers: Float64Array,
): Pick<Histogram, 'bounds' | 'boundOf' | 'starts'> {
  const known: number[] = [];
  const bounds: Bound[] = [];
  const placeByUpper = new Map<number, number>();
  const boundOf = new Uint32Array(ends.length);
  const starts: number[] = [];
  let place = 0;
  for (let row = 0; row < ends.length; row++) {
    if (row === 0 || ends[row] !== ends[row - 1]) {
      starts.push(row);
      place = 0;
    }
    const upper = uppers[row] ?? NaN;
    // Buckets come in the same order at each moment: the next one is most often the next.
    if (known[place] !== upper) {
      place = placeByUpper.get(upper) ?? known.length;
      if (place === known.length) {
        placeByUpper.set(upper, place);
        known.push(upper);
        bounds.push(boundBetween(lowers[row] ?? NaN, upper));
      }
    }
    boundOf[row] = place;
    place += 1;
  }
  return { bounds, boundOf, starts: [...starts, ends.length] };
}

/** The bucket around zero is in whatever schema. */
function boundBetween(lower: number, upper: number): Bound {
  if (!(lower > 0)) return { schema: Infinity, index: -Infinity };
  const schema = Math.round(-Math.log2(Math.log2(upper / lower)));
  return { schema, index: Math.round(Math.log2(upper) * 2 ** schema) };
}

function sumsOf(amounts: Float64Array, starts: readonly number[]): Float64Array {
  const sums = new Float64Array(starts.length - 1);
  for (let moment = 0; moment < sums.length; moment++) {
    let sum = NaN;
    for (let row = starts[moment] ?? 0; row < (starts[moment + 1] ?? 0); row++) {
      const amount = amounts[row] ?? NaN;
      if (amount === amount) sum = sum === sum ? sum + amount : amount;
    }
    sums[moment] = sum;
  }
  return sums;
}

function increasesOf(histogram: Histogram, schema: number, times: readonly number[]): Histograms {
  const moments = indicesOf(histogram.times, times);
  const isSeen = moments.map((moment) => !Number.isNaN(histogram.values[moment] ?? NaN));
  const state = Uint8Array.from(isSeen, (seen, i) => (seen && isSeen[i - 1] === true ? counted : unseen));
  const places = placesIn(histogram.bounds, schema);
  const offset = places.length > 0 ? Math.min(...places) : 0;
  const width = places.length > 0 ? Math.max(...places) - offset + 1 : 0;
  const increases = totalsOf(
    histogram,
    Int32Array.from(places, (place) => place - offset),
    width,
    moments,
  );
  const wrong = increases.subarray(0, width).find((total) => !isWhole(total));
  if (wrong !== undefined) throw new NoCounterError(notCountText(wrong));
  // In the place of the totals, and so the last moment first.
  for (let i = increases.length - 1; i >= width; i--) {
    increases[i] = (increases[i] ?? 0) - (increases[i - width] ?? 0);
  }
  return histogramsIn({ increases, width, offset }, state);
}

/** The index that each bucket has in a schema, which the judge refuses if it is none. */
function placesIn(bounds: readonly Bound[], schema: number): readonly number[] {
  if (!(schema >= -4 && schema <= 8)) return [];
  return bounds.map(({ index, schema: own }) =>
    // The zero bucket goes to a bucket of a nanosecond: below anything that is measured.
    index === -Infinity ? -30 * 2 ** schema : Math.ceil(index / 2 ** (own - schema)),
  );
}

/** The totals of each moment, a row of `width` buckets. */
function totalsOf(
  { boundOf, starts, amounts: column }: Histogram,
  places: Int32Array,
  width: number,
  moments: readonly number[],
): Float64Array {
  const totals = new Float64Array(width * moments.length);
  if (width === 0) return totals;
  const amounts = numbersOf(column, amountScratch);
  for (let i = 0; i < moments.length; i++) {
    const moment = moments[i] ?? -1;
    if (moment < 0) continue;
    const begin = i * width;
    for (let row = starts[moment] ?? 0; row < (starts[moment + 1] ?? 0); row++) {
      const place = begin + (places[boundOf[row] ?? 0] ?? 0);
      const amount = amounts[row] ?? NaN;
      if (amount === amount) totals[place] = (totals[place] ?? 0) + amount;
    }
  }
  return totals;
}
