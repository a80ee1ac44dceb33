// Bucket counts with weights in; merged histograms, their quantiles and how well those are known out.
import type { Layout } from './buckets.ts';
import type { BucketCounts } from './types.ts';

/** A dense accumulator of weighted bucket counts; `squares` is the sum of squared weights. */
export interface Histogram {
  lowest: number;
  weights: Float64Array;
  total: number;
  squares: number;
}

/** Returns a histogram without observations. */
export function emptyHistogram(): Histogram {
  return { lowest: 0, weights: new Float64Array(0), total: 0, squares: 0 };
}

/** Adds `counts`, each observation with `weight` ≥ 0, to `target`; returns how many observations they are. */
export function addCounts(target: Histogram, { offset, counts }: BucketCounts, weight = 1): number {
  reserve(target, offset, offset + counts.length);
  const { weights } = target;
  const shift = offset - target.lowest;
  let observations = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] ?? 0;
    observations += count;
    weights[shift + i] = (weights[shift + i] ?? 0) + count * weight;
  }
  target.total += observations * weight;
  target.squares += observations * weight * weight;
  return observations;
}

/** Adds another histogram to `target`. */
export function merge(target: Histogram, other: Histogram): void {
  combine(target, other, 1);
}

/** Takes `other` out of `target`, which must contain it. */
export function subtract(target: Histogram, other: Histogram): void {
  combine(target, other, -1);
}

/** Forgets all observations and keeps the memory. */
export function clear(target: Histogram): void {
  target.weights.fill(0);
  target.total = 0;
  target.squares = 0;
}

/**
 * Kish's effective sample size: how many equally weighted requests know as much as these weighted ones.
 */
export function effectiveSize({ total, squares }: Histogram): number {
  return squares > 0 ? (total * total) / squares : 0;
}

/** One quantile of a histogram, on the log scale. */
export interface Quantile {
  /** ln seconds. */
  readonly ln: number;
  /** Sampling variance of `ln`. */
  readonly variance: number;
  /** ln of the ratio of the bucket's bounds: what the buckets cannot tell. ∞ at the open ends. */
  readonly resolution: number;
}

/**
 * The `p` quantile by the layout's interpolation, and Woodruff's (1952) sampling variance: the rank has binomial
 * variance p(1−p)/n, and the histogram itself turns ranks into durations. Undefined without observations.
 */
export function quantile(histogram: Histogram, layout: Layout, p: number): Quantile | undefined {
  const { total } = histogram;
  const size = effectiveSize(histogram);
  if (!(total > 0) || size === 0) return undefined;
  const rankError = Math.sqrt((p * (1 - p)) / size);
  const middle = locate(histogram, p * total);
  const low = layout.within(...locate(histogram, Math.max(p - rankError, p / 2) * total));
  const high = layout.within(...locate(histogram, Math.min(p + rankError, (1 + p) / 2) * total));
  const [index] = middle;
  return {
    ln: layout.within(...middle),
    variance: ((high - low) / 2) ** 2,
    resolution: layout.lnUpper(index) - layout.lnLower(index),
  };
}

/** Estimated sum of ln seconds over all observations, each at its bucket's middle. */
export function meanLn(counts: BucketCounts, layout: Layout): number | undefined {
  let sum = 0;
  let observations = 0;
  counts.counts.forEach((count, i) => {
    observations += count;
    if (count > 0) sum += count * layout.within(counts.offset + i, 0.5);
  });
  return observations > 0 ? sum / observations : undefined;
}

/** Estimated sum of seconds over all observations, each at its bucket's middle. */
export function sumSeconds({ lowest, weights }: Histogram, layout: Layout): number {
  return weights.reduce(
    (sum, weight, i) => (weight > 0 ? sum + weight * Math.exp(layout.within(lowest + i, 0.5)) : sum),
    0,
  );
}

/** The bucket, and the share of it, at which a rank falls: from whichever end is nearer. */
function locate(
  { lowest, weights, total }: Histogram,
  rank: number,
): readonly [index: number, share: number] {
  if (rank > total / 2) {
    let above = total;
    for (let i = weights.length - 1; i >= 0; i--) {
      const weight = weights[i] ?? 0;
      above -= weight;
      if (weight > 0 && above < rank) return [lowest + i, Math.min(1, (rank - above) / weight)];
    }
  }
  let below = 0;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] ?? 0;
    if (weight <= 0) continue;
    if (rank <= below + weight) return [lowest + i, Math.max(0, (rank - below) / weight)];
    below += weight;
    last = i;
  }
  // Rounding may leave a rank a hair outside.
  return [lowest + last, 1];
}

function combine(target: Histogram, other: Histogram, sign: 1 | -1): void {
  reserve(target, other.lowest, other.lowest + other.weights.length);
  const { weights } = target;
  const shift = other.lowest - target.lowest;
  for (let i = 0; i < other.weights.length; i++) {
    weights[shift + i] = (weights[shift + i] ?? 0) + sign * (other.weights[i] ?? 0);
  }
  target.total += sign * other.total;
  target.squares += sign * other.squares;
}

/** Makes room for the buckets [from, to). */
function reserve(target: Histogram, from: number, to: number): void {
  const end = target.lowest + target.weights.length;
  if (target.weights.length > 0 && from >= target.lowest && to <= end) return;
  if (from === to) return;
  const lowest = target.weights.length > 0 ? Math.min(from, target.lowest) : from;
  const weights = new Float64Array((target.weights.length > 0 ? Math.max(to, end) : to) - lowest);
  weights.set(target.weights, target.weights.length > 0 ? target.lowest - lowest : 0);
  target.lowest = lowest;
  target.weights = weights;
}
