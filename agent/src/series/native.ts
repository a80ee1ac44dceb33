// Native histograms: kernel buckets (bpf/fragments/bucket.bt) ↔ Prometheus' exponential buckets. Pure.

/** Prometheus' schema of every histogram here: 2^3 buckets for each power of two, 9.05 % wide. */
export const schema = 3;

/** Kernel bucket b starts at 2^(b/8) units of 2^-30 s and so is Prometheus' bucket b - 239. */
const indexOffset = 30 * 2 ** schema - 1;

/** One more than the highest bucket of the kernel that can come: 2^34 s, 544 years. */
export const bucketCount = 512;

/** Prometheus' index of a kernel bucket: it holds (2^((i-1)/8), 2^(i/8)] seconds. */
export const nativeIndex = (bucket: number): number => bucket - indexOffset;

/** The kernel's bucket of a Prometheus index. */
export const bucketOfNative = (index: number): number => index + indexOffset;

/** First bucket with a count, and one past the last; [0, 0] without observations. */
export const filledRange = (counts: Float64Array): readonly [first: number, end: number] => {
  // Plain loops: eight times as fast as findIndex, and every series is read every window.
  let end = counts.length;
  while (end > 0 && counts[end - 1] === 0) end--;
  let first = 0;
  while (first < end && counts[first] === 0) first++;
  return [first, end];
};

/** Upper bound of a native bucket, in seconds. */
export const upperBoundSeconds = (index: number): number => 2 ** (index / 2 ** schema);

/**
 * Native indices whose upper bounds are the `le` of text scrapes: every one from 0.98 ms to 1 s (9 % wide), every
 * second down to 61 us, every fourth up to 64 s, every eighth down to 1 us. A subset, so nothing is re-binned.
 */
export const classicIndices: readonly number[] = [
  ...range(-160, -112, 8),
  ...range(-112, -80, 2),
  ...range(-80, 0, 1),
  ...range(0, 48, 4),
  48,
];

/** Bounds of `classicIndices` in seconds. */
export const classicBoundsSeconds: readonly number[] = classicIndices.map(upperBoundSeconds);

/** Cumulative counts at `classicIndices`, and the total for `+Inf`. */
export const toClassic = (counts: ArrayLike<number>): { cumulative: number[]; total: number } => {
  const cumulative: number[] = [];
  let total = 0;
  let bucket = 0;
  for (const index of classicIndices) {
    for (; bucket <= bucketOfNative(index); bucket++) total += counts[bucket] ?? 0;
    cumulative.push(total);
  }
  for (; bucket < counts.length; bucket++) total += counts[bucket] ?? 0;
  return { cumulative, total };
};

/**
 * Quantile in seconds, interpolated exponentially within its bucket, as PromQL does for native histograms.
 * NaN without observations.
 */
export const quantileSeconds = (counts: ArrayLike<number>, q: number): number => {
  const rank = q * toClassic(counts).total;
  let below = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    const count = counts[bucket] ?? 0;
    if (count > 0 && below + count >= rank) {
      const fraction = Math.max(0, rank - below) / count;
      return upperBoundSeconds(nativeIndex(bucket) - 1 + fraction);
    }
    below += count;
  }
  return NaN;
};

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: (to - from) / step }, (_, position) => from + position * step);
}
