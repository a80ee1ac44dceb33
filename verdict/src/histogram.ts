// Bucket counts with weights in; merged histograms, their quantiles and how well those are known out.
import type { Layout } from './buckets.ts';
import type { BucketCounts } from './types.ts';

/**
 * A dense accumulator of weighted bucket counts; `squares` is the sum of squared weights, `stolen` the sum of weights
 * times the share of CPU time that a host took from what answered them.
 */
export interface Histogram {
  lowest: number;
  weights: Float64Array;
  total: number;
  squares: number;
  stolen: number;
}

/** Returns a histogram without observations. */
export function emptyHistogram(): Histogram {
  return { lowest: 0, weights: new Float64Array(0), total: 0, squares: 0, stolen: 0 };
}

/** Adds `counts`, each observation with `weight` ≥ 0, to `target`; returns how many observations they are. */
export function addCounts(
  target: Histogram,
  { offset, counts }: BucketCounts,
  weight = 1,
  stealShare = 0,
): number {
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
  target.stolen += observations * weight * stealShare;
  return observations;
}

/** Returns how many observations `counts` hold. */
export function observationsOf({ counts }: BucketCounts): number {
  let observations = 0;
  for (const count of counts) observations += count;
  return observations;
}

/**
 * Adds `counts`, which are `observations` in all, to `plain` with weight one and to `weighted` with `weight`. A run
 * spends most of its time here. Engines look at every array anew in each turn of a loop, so a turn takes four counts.
 */
export function addToBoth(
  plain: Histogram,
  weighted: Histogram,
  { offset, counts }: BucketCounts,
  observations: number,
  weight: number,
  stealShare = 0,
): void {
  reserve(plain, offset, offset + counts.length);
  reserve(weighted, offset, offset + counts.length);
  const ones = plain.weights;
  const weights = weighted.weights;
  const inOnes = offset - plain.lowest;
  const inWeights = offset - weighted.lowest;
  let i = 0;
  for (; i + 3 < counts.length; i += 4) {
    const a = counts[i] ?? 0;
    const b = counts[i + 1] ?? 0;
    const c = counts[i + 2] ?? 0;
    const d = counts[i + 3] ?? 0;
    const k = inOnes + i;
    ones[k] = (ones[k] ?? 0) + a;
    ones[k + 1] = (ones[k + 1] ?? 0) + b;
    ones[k + 2] = (ones[k + 2] ?? 0) + c;
    ones[k + 3] = (ones[k + 3] ?? 0) + d;
    const m = inWeights + i;
    weights[m] = (weights[m] ?? 0) + a * weight;
    weights[m + 1] = (weights[m + 1] ?? 0) + b * weight;
    weights[m + 2] = (weights[m + 2] ?? 0) + c * weight;
    weights[m + 3] = (weights[m + 3] ?? 0) + d * weight;
  }
  for (; i < counts.length; i++) {
    const count = counts[i] ?? 0;
    ones[inOnes + i] = (ones[inOnes + i] ?? 0) + count;
    weights[inWeights + i] = (weights[inWeights + i] ?? 0) + count * weight;
  }
  plain.total += observations;
  plain.squares += observations;
  weighted.total += observations * weight;
  weighted.squares += observations * weight * weight;
  plain.stolen += observations * stealShare;
  weighted.stolen += observations * weight * stealShare;
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
  target.stolen = 0;
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
  return quantiles(histogram, layout, [p])[0];
}

/** Returns several quantiles, in ascending order and from the median up; none without observations. They take one walk together. */
export function quantiles(histogram: Histogram, layout: Layout, ps: readonly number[]): readonly Quantile[] {
  const { lowest, total } = histogram;
  const size = effectiveSize(histogram);
  const found: Quantile[] = [];
  if (!(total > 0) || size === 0) return found;
  let index = 0;
  let below = 0;
  for (const p of ps) {
    const rankError = Math.sqrt((p * (1 - p)) / size);
    const cursor = { index, below };
    const lnLow = lnAtRank(histogram, layout, cursor, Math.max(p - rankError, p / 2) * total);
    // From the median up, the low end of the next quantile lies above that of this one.
    ({ index, below } = cursor);
    const ln = lnAtRank(histogram, layout, cursor, p * total);
    const at = lowest + cursor.index;
    const lnHigh = lnAtRank(histogram, layout, cursor, Math.min(p + rankError, (1 + p) / 2) * total);
    found.push({
      ln,
      variance: ((lnHigh - lnLow) / 2) ** 2,
      resolution: layout.lnUpper(at) - layout.lnLower(at),
    });
  }
  return found;
}

/** Estimated sum of ln seconds over all observations, each at its bucket's middle. */
export function meanLn({ offset, counts }: BucketCounts, layout: Layout): number | undefined {
  let sum = 0;
  let observations = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] ?? 0;
    observations += count;
    if (count > 0) sum += count * layout.within(offset + i, 0.5);
  }
  return observations > 0 ? sum / observations : undefined;
}

/** Estimated sum of seconds over all observations, each at its bucket's middle. */
export function sumSeconds({ lowest, weights }: Histogram, layout: Layout): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] ?? 0;
    if (weight > 0) sum += weight * layout.middleSeconds(lowest + i);
  }
  return sum;
}

/** The duration at a rank; `cursor` goes up to its bucket, so that ascending ranks take one walk together. */
function lnAtRank(
  { lowest, weights }: Histogram,
  layout: Layout,
  cursor: { index: number; below: number },
  rank: number,
): number {
  let { index, below } = cursor;
  let last = index;
  let lastBelow = below;
  for (; index < weights.length; index++) {
    const weight = weights[index] ?? 0;
    if (weight <= 0) continue;
    last = index;
    lastBelow = below;
    if (rank <= below + weight) break;
    below += weight;
  }
  cursor.index = last;
  cursor.below = lastBelow;
  const share = (rank - lastBelow) / (weights[last] ?? 1);
  // Rounding may leave a rank a hair outside.
  return layout.within(lowest + last, Math.min(1, Math.max(0, share)));
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
  target.stolen += sign * other.stolen;
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
