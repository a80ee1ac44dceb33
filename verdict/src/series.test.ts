import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  effectRadius,
  emptySeries,
  lastQuarterEffect,
  longRunVariance,
  meanEffect,
  pushEffect,
} from './series.ts';

const differences = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 2, maxLength: 120 });

function seriesOf(values: readonly number[], samplingVariance = 0): ReturnType<typeof emptySeries> {
  const series = emptySeries();
  for (const value of values) pushEffect(series, value, samplingVariance);
  return series;
}

/** The same variance straight from its definition, with the whole history at hand. */
function variancePlainly(values: readonly number[]): number {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const gamma = (lag: number): number =>
    values.slice(lag).reduce((sum, value, i) => sum + (value - mean) * ((values[i] ?? 0) - mean), 0) / n;
  const lags = Math.min(n - 1, Math.max(1, Math.floor(0.65 * Math.sqrt(n))));
  let sum = gamma(0);
  for (let lag = 1; lag <= lags; lag++) sum += 2 * (1 - lag / (lags + 1)) * gamma(lag);
  return Math.max(sum, gamma(0) / 2) * (n / (n - 1)) * (1 + 4 / n);
}

test('the running variance is that of the whole series', () => {
  fc.assert(
    fc.property(differences, (values) => {
      expect(longRunVariance(seriesOf(values))).toBeCloseTo(variancePlainly(values), 9);
    }),
  );
});

test('blocks that move together widen the interval', () => {
  const alternating = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 1 : -1));
  const slow = Array.from({ length: 40 }, (_, i) => (i % 20 < 10 ? 1 : -1));
  expect(effectRadius(seriesOf(slow), 0.01)).toBeGreaterThan(
    2 * (effectRadius(seriesOf(alternating), 0.01) ?? 0),
  );
});

test('equal blocks do not make a certainty: the sampling variance remains', () => {
  expect(effectRadius(seriesOf([0.1, 0.1, 0.1]), 0.01)).toBeUndefined();
  expect(longRunVariance(seriesOf([0.1, 0.1, 0.1], 0.04))).toBeCloseTo(0.04, 12);
});

test('the last quarter is the mean of the newest blocks', () => {
  const series = seriesOf([9, 9, 9, 9, 9, 9, 1, 2]);
  expect(lastQuarterEffect(series)).toBeCloseTo(1.5, 12);
  expect(meanEffect(series)).toBeCloseTo(57 / 8, 12);
  expect(lastQuarterEffect(emptySeries())).toBeUndefined();
});
