import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bucketCount,
  bucketOfNative,
  classicBoundsSeconds,
  nativeIndex,
  quantileSeconds,
  toClassic,
  upperBoundSeconds,
} from './native.ts';

const countsArbitrary = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 1000 })), { minLength: 1 })
  .map((pairs) => {
    const counts = new Float64Array(bucketCount);
    for (const [bucket, count] of pairs) counts[bucket] = (counts[bucket] ?? 0) + count;
    return counts;
  });

test('a kernel bucket has the bounds that its own unit of 2^-30 s gives it', () => {
  for (const bucket of [0, 80, 134, 239, 300]) {
    expect(upperBoundSeconds(nativeIndex(bucket))).toBeCloseTo(2 ** ((bucket + 1) / 8 - 30), 15);
    expect(bucketOfNative(nativeIndex(bucket))).toBe(bucket);
  }
});

test('classic bounds grow by at most 10 % from 1 ms to 1 s, and are all native bounds', () => {
  for (const [position, bound] of classicBoundsSeconds.entries()) {
    const next = classicBoundsSeconds[position + 1] ?? Infinity;
    expect(next).toBeGreaterThan(bound);
    if (bound >= 0.001 && next <= 1) expect(next / bound).toBeLessThan(1.1);
    expect(Number.isInteger(Math.round(Math.log2(bound) * 8 * 1e6) / 1e6)).toBe(true);
  }
  expect(classicBoundsSeconds.some((bound) => bound <= 0.001 && bound > 0.0009)).toBe(true);
  expect(classicBoundsSeconds).toContain(1);
});

test('classic buckets are cumulative and lose nothing', () => {
  fc.assert(
    fc.property(countsArbitrary, (counts) => {
      const { cumulative, total } = toClassic(counts);
      expect(total).toBe(counts.reduce((sum, count) => sum + count, 0));
      for (const [position, bound] of classicBoundsSeconds.entries()) {
        const atMost = counts.reduce(
          (sum, count, bucket) =>
            upperBoundSeconds(nativeIndex(bucket)) <= bound * 1.000001 ? sum + count : sum,
          0,
        );
        expect(cumulative[position]).toBe(atMost);
      }
    }),
  );
});

test('a quantile lies in the bucket that holds its rank', () => {
  fc.assert(
    fc.property(countsArbitrary, fc.double({ min: 0.01, max: 1, noNaN: true }), (counts, q) => {
      const seconds = quantileSeconds(counts, q);
      const total = counts.reduce((sum, count) => sum + count, 0);
      const below = counts.reduce(
        (sum, count, bucket) =>
          upperBoundSeconds(nativeIndex(bucket)) < seconds * 0.999999 ? sum + count : sum,
        0,
      );
      expect(below).toBeLessThanOrEqual(q * total);
    }),
  );
});

test('without observations there is no quantile', () => {
  expect(quantileSeconds([], 0.5)).toBeNaN();
});
