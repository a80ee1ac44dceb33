import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  betaBinomialBound,
  meanRadius,
  mixtureRho,
  normalMixtureBound,
  proportionBound,
} from './confidence.ts';

test('the normal mixture has the published tuning and boundary at V = 100, α = 0.05', () => {
  expect(mixtureRho(100, 0.05)).toBeCloseTo(12.60056, 5);
  expect(normalMixtureBound(100, mixtureRho(100, 0.05), 0.05)).toBeCloseTo(30.35209, 5);
});

test('the beta-binomial boundary for steps in [−0.2, 0.8] is 31.4308 at V = 100, α = 0.05', () => {
  expect(betaBinomialBound(100, 0.2, 0.8, 100, 0.05)).toBeCloseTo(31.4308, 3);
});

test('the radius of a mean shrinks with blocks and with α', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.double({ min: 0.001, max: 0.2, noNaN: true }),
      (j, a) => {
        expect(meanRadius(j + 1, a)).toBeLessThan(meanRadius(j, a));
        expect(meanRadius(j, a)).toBeLessThan(meanRadius(j, a / 2));
      },
    ),
  );
});

test('a proportion lies in its own interval, and the interval in [0, 1]', () => {
  fc.assert(
    fc.property(
      fc.nat(100_000),
      fc.nat(100_000),
      fc.double({ min: 0.001, max: 0.2, noNaN: true }),
      (s, f, alpha) => {
        const [lower, upper] = (['lower', 'upper'] as const).map((end) =>
          proportionBound(end, s, s + f, alpha),
        );
        const point = s + f === 0 ? 0 : s / (s + f);
        expect(lower).toBeGreaterThanOrEqual(0);
        expect(upper).toBeLessThanOrEqual(1);
        expect(lower).toBeLessThanOrEqual(point);
        expect(upper).toBeGreaterThanOrEqual(point);
      },
    ),
  );
});

test('no error in 3000 requests bounds the error ratio below half a percent', () => {
  expect(proportionBound('upper', 0, 3000, 0.015)).toBeLessThan(0.005);
});
