import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutOf, nativeWidth } from './buckets.ts';
import { addCounts, effectiveSize, emptyHistogram, merge, quantile, subtract } from './histogram.ts';
import type { BucketCounts } from './types.ts';

const layout = layoutOf({ schema: 3 });
const counts: fc.Arbitrary<BucketCounts> = fc.record({
  offset: fc.integer({ min: -80, max: 20 }),
  counts: fc.array(fc.nat(50), { maxLength: 40 }),
});

function histogramOf(...parts: readonly BucketCounts[]): ReturnType<typeof emptyHistogram> {
  const histogram = emptyHistogram();
  for (const part of parts) addCounts(histogram, part);
  return histogram;
}

function pairs({
  lowest,
  weights,
}: ReturnType<typeof emptyHistogram>): readonly (readonly [number, number])[] {
  return [...weights].map((weight, i) => [lowest + i, weight] as const).filter(([, weight]) => weight !== 0);
}

describe('histogram algebra', () => {
  test('merging does not depend on the order', () => {
    fc.assert(
      fc.property(counts, counts, counts, (a, b, c) => {
        const left = histogramOf(a, b);
        merge(left, histogramOf(c));
        expect(pairs(left)).toEqual(pairs(histogramOf(c, b, a)));
      }),
    );
  });

  test('subtracting takes out what was merged', () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        const both = histogramOf(a, b);
        subtract(both, histogramOf(b));
        expect(pairs(both)).toEqual(pairs(histogramOf(a)));
        expect(both.total).toBe(histogramOf(a).total);
      }),
    );
  });

  test('weights scale the total but not the quantile', () => {
    fc.assert(
      fc.property(counts, fc.double({ min: 0.01, max: 1, noNaN: true }), (a, weight) => {
        const weighted = emptyHistogram();
        addCounts(weighted, a, weight);
        const plain = histogramOf(a);
        expect(weighted.total).toBeCloseTo(plain.total * weight, 9);
        expect(effectiveSize(weighted)).toBeCloseTo(effectiveSize(plain), 6);
        expect(quantile(weighted, layout, 0.9)?.ln ?? 0).toBeCloseTo(
          quantile(plain, layout, 0.9)?.ln ?? 0,
          9,
        );
      }),
    );
  });
});

describe('quantiles', () => {
  test('rise with p and stay within the occupied buckets', () => {
    fc.assert(
      fc.property(counts, (a) => {
        const histogram = histogramOf(a);
        const values = [0.5, 0.9, 0.95, 0.99].map((p) => quantile(histogram, layout, p)?.ln);
        const occupied = pairs(histogram).map(([index]) => index);
        if (occupied.length === 0) {
          expect(values).toEqual([undefined, undefined, undefined, undefined]);
          return;
        }
        const known = values.map((value) => value ?? NaN);
        expect([...known].sort((x, y) => x - y)).toEqual(known);
        expect(known[0]).toBeGreaterThanOrEqual(layout.lnLower(Math.min(...occupied)) - 1e-9);
        expect(known[3]).toBeLessThanOrEqual(layout.lnUpper(Math.max(...occupied)) + 1e-9);
      }),
    );
  });

  test('native buckets are interpolated exponentially, as PromQL does', () => {
    const histogram = histogramOf({ offset: 1, counts: [4] });
    expect(quantile(histogram, layout, 0.5)?.ln).toBeCloseTo(Math.LN2 / 16, 12);
  });

  test('classic buckets are interpolated linearly, and their open end is known as such', () => {
    const classic = layoutOf({ upperBounds: [0.1, 0.3] });
    const inside = quantile(histogramOf({ offset: 0, counts: [2, 2] }), classic, 0.75);
    expect(Math.exp(inside?.ln ?? 0)).toBeCloseTo(0.2, 12);
    const above = quantile(histogramOf({ offset: 0, counts: [0, 0, 5] }), classic, 0.5);
    expect(above?.resolution).toBe(Infinity);
    expect(Math.exp(above?.ln ?? 0)).toBeCloseTo(0.3, 12);
  });

  test.each([
    [3, 0.0905],
    [4, 0.0443],
    [5, 0.0219],
  ])('a bucket of schema %d is %d wide', (schema, width) => {
    expect(nativeWidth(schema)).toBeCloseTo(width, 4);
  });

  test('the sampling variance of a median is that of the textbook, p(1−p)/(n f²)', () => {
    // 100 requests in each of 160 narrow buckets: uniform on the log scale, density 1/(160 · width).
    const fine = layoutOf({ schema: 5 });
    const histogram = histogramOf({ offset: 0, counts: Array.from({ length: 160 }, () => 100) });
    const width = (160 * Math.LN2) / 32;
    expect(quantile(histogram, fine, 0.5)?.variance).toBeCloseTo((0.25 / 16_000) * width ** 2, 8);
  });
});
