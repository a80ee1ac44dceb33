import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { upperBoundSeconds } from '../series/native.ts';
import { classicHistograms, nativeHistograms, usefulBounds } from './histograms.ts';
import { counterIncrease, histogramIncrease, stepCount, stepOf, type Reading } from './increases.ts';

const names = { version: 'version', node: 'node' };
const steps = { begin: 1000, end: 1120, seconds: 60 };

describe('classic histograms', () => {
  const bucket = (node: string, le: string, values: readonly number[]) => ({
    metric: { version: 'v1', node, le },
    values: values.map((value, step) => [1000 + 60 * step, String(value)] as const),
  });

  test('become counts by bucket, whatever the order of their bounds', () => {
    const { buckets, groups } = classicHistograms(
      [bucket('n1', '+Inf', [9, 19]), bucket('n1', '0.1', [4, 5]), bucket('n1', '0.01', [1, 2])],
      names,
      steps,
    );
    expect(buckets).toEqual({ upperBounds: [0.01, 0.1] });
    expect(groups[0]?.labels).toMatchObject({ version: 'v1', node: 'n1' });
    expect(groups[0]?.readings).toEqual([
      { offset: 0, counts: [1, 3, 5] },
      { offset: 0, counts: [2, 3, 14] },
      undefined,
    ]);
  });

  test('are summed over labels that are neither version nor node', () => {
    const failed = {
      metric: { ...bucket('n1', '+Inf', []).metric, code: '5xx' },
      values: [[1060, '3']] as const,
    };
    const { groups } = classicHistograms([bucket('n1', '+Inf', [9, 19]), failed], names, steps);
    expect(groups.map(({ readings }) => readings.map((reading) => reading?.counts))).toEqual([
      [[9], [22], undefined],
    ]);
  });

  test('use only bounds that every group has', () => {
    const { buckets, groups } = classicHistograms(
      [
        bucket('n1', '0.1', [4]),
        bucket('n1', '0.2', [5]),
        bucket('n1', '+Inf', [6]),
        bucket('n2', '0.1', [7]),
        bucket('n2', '+Inf', [9]),
      ],
      names,
      steps,
    );
    expect(buckets).toEqual({ upperBounds: [0.1] });
    expect(groups.map(({ readings }) => readings[0]?.counts)).toEqual([
      [4, 2],
      [7, 2],
    ]);
  });
});

describe('bounds of use', () => {
  const sums = (counts: Readonly<Record<string, string>>) =>
    Object.entries(counts).map(([le, count]) => ({ metric: { le }, values: [[1000, count]] as const }));

  test('reach from the last below all values to the first above them, over both histograms', () => {
    const durations = sums({ '+Inf': '5', '1': '0', '2': '0', '4': '3', '8': '5', '16': '5' });
    const net = sums({ '+Inf': '5', '1': '0', '2': '1', '4': '5', '8': '5', '16': '5' });
    expect(usefulBounds([durations, net])).toEqual(['1', '2', '4', '8']);
  });

  test('reach to the end where some values lie above every bound', () => {
    expect(usefulBounds([sums({ '+Inf': '5', '1': '0', '2': '4' })])).toEqual(['1', '2']);
  });

  test('are none without values', () => {
    expect(usefulBounds([[], sums({ '+Inf': '0', '1': '0' })])).toEqual([]);
  });
});

describe('native histograms', () => {
  const native = (schema: number, counts: Readonly<Record<number, number>>) => ({
    count: '0',
    sum: '0',
    buckets: Object.entries(counts).map(
      ([index, count]) =>
        [
          0,
          String(2 ** ((Number(index) - 1) / 2 ** schema)),
          String(2 ** (Number(index) / 2 ** schema)),
          String(count),
        ] as const,
    ),
  });

  test('keep their buckets', () => {
    const { buckets, groups } = nativeHistograms(
      [{ metric: { version: 'v1' }, histograms: [[1060, native(3, { [-20]: 5, [-18]: 7 })]] }],
      steps,
    );
    expect(buckets).toEqual({ schema: 3 });
    expect(groups[0]?.readings).toEqual([undefined, { offset: -20, counts: [5, 0, 7] }, undefined]);
    expect(upperBoundSeconds(-20)).toBeCloseTo(0.1768, 4);
  });

  test('of two schemas are joined at the coarser one, and lose no request', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.integer({ min: -60, max: 20 }).map(String), fc.integer({ min: 1, max: 1000 }), {
          minKeys: 1,
        }),
        (counts) => {
          const { buckets, groups } = nativeHistograms(
            [
              { metric: { node: 'n1' }, histograms: [[1000, native(4, counts)]] },
              { metric: { node: 'n2' }, histograms: [[1000, native(3, { 0: 1 })]] },
            ],
            steps,
          );
          expect(buckets).toEqual({ schema: 3 });
          const reading = groups[0]?.readings[0];
          const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
          expect(reading?.counts.reduce((sum, count) => sum + count, 0)).toBe(total);
          expect(reading?.offset).toBeCloseTo(Math.ceil(Math.min(...Object.keys(counts).map(Number)) / 2));
        },
      ),
    );
  });
});

describe('the increase of a histogram', () => {
  const reading = (...counts: readonly number[]): Reading => ({ offset: 0, counts });

  test('is what came since the step before', () => {
    expect(histogramIncrease([reading(1, 2), reading(1, 5)], 1, true)).toEqual({ offset: 0, counts: [0, 3] });
  });

  test('of a version that is new on a node that was seen counts from nothing', () => {
    expect(histogramIncrease([undefined, reading(4)], 1, true)).toEqual({ offset: 0, counts: [4] });
  });

  test('of a version on a node that is new itself is not known: it may be an old one', () => {
    expect(histogramIncrease([undefined, reading(4)], 1, false)).toBeUndefined();
  });

  test('is not known where any bucket fell, though the total rose', () => {
    expect(histogramIncrease([reading(5, 1), reading(1, 9)], 1, true)).toBe('reset');
  });

  test('does not depend on where the filled buckets begin', () => {
    const wide = { offset: -3, counts: [1, 0, 0, 2] };
    expect(histogramIncrease([reading(1), wide], 1, true)).toEqual({ offset: -3, counts: [1, 0, 0, 1] });
  });
});

test('a counter that fell has counted nothing, and one that is new counts from nothing', () => {
  const values = Float64Array.of(NaN, 3, 5, 1);
  expect([1, 2, 3].map((step) => counterIncrease(values, step))).toEqual([3, 2, 0]);
});

test('a moment belongs to its step', () => {
  expect(stepCount(steps)).toBe(3);
  expect(stepOf(steps, 1060.4)).toBe(1);
});
