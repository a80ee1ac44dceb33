// A bucket layout in, the bounds and widths of its buckets out; durations are logarithms of seconds from here on.
import type { Buckets } from './types.ts';

/** The bounds of numbered buckets and how a duration is placed within one. */
export interface Layout {
  /** ln of the upper bound of bucket `index` in seconds; +∞ above the last classic bound. */
  readonly lnUpper: (index: number) => number;
  /** ln of the lower bound; −∞ below the first classic bound. */
  readonly lnLower: (index: number) => number;
  /** ln of the duration below which `share` (0…1) of the bucket lies: as PromQL interpolates. */
  readonly within: (index: number, share: number) => number;
  /** Seconds in the middle of the bucket: what each of its observations is taken for in a sum. */
  readonly middleSeconds: (index: number) => number;
  /** The indices that a count may have. */
  readonly range: readonly [number, number];
}

/** Returns the layout of `buckets`; exponential interpolation for native buckets, linear for classic ones. */
export function layoutOf(buckets: Buckets): Layout {
  const bounds = 'schema' in buckets ? nativeBounds(buckets.schema) : classicBounds(buckets.upperBounds);
  const [from, to] = bounds.range;
  // Every histogram of a run asks for the same few.
  const middles = new Float64Array(to - from + 1);
  return {
    ...bounds,
    middleSeconds: (index) => {
      const known = middles[index - from];
      if (known !== undefined && known > 0) return known;
      const seconds = Math.exp(bounds.within(index, 0.5));
      middles[index - from] = seconds;
      return seconds;
    },
  };
}

type Bounds = Omit<Layout, 'middleSeconds'>;

/** How much wider the upper bound of a native bucket is than its lower: 0.0905 for schema 3. */
export function nativeWidth(schema: number): number {
  return Math.expm1(Math.LN2 / 2 ** schema);
}

function nativeBounds(schema: number): Bounds {
  const step = Math.LN2 / 2 ** schema;
  // 2^±64 s is beyond any duration; the limit keeps dense histograms small whatever the input says.
  const reach = Math.ceil(64 * 2 ** schema);
  return {
    lnUpper: (index) => index * step,
    lnLower: (index) => (index - 1) * step,
    within: (index, share) => (index - 1 + share) * step,
    range: [-reach, reach],
  };
}

function classicBounds(upperBounds: readonly number[]): Bounds {
  const upper = (index: number): number => upperBounds[index] ?? Infinity;
  const lower = (index: number): number => (index > 0 ? upper(index - 1) : 0);
  return {
    lnUpper: (index) => Math.log(upper(index)),
    lnLower: (index) => Math.log(lower(index)),
    // What lies above the last bound is only known to do so.
    within: (index, share) =>
      Math.log(
        index < upperBounds.length ? lower(index) + share * (upper(index) - lower(index)) : lower(index),
      ),
    range: [0, upperBounds.length],
  };
}
