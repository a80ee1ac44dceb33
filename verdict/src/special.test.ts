import { expect, test } from 'vitest';
import { lnBeta, lnGamma, normalQuantile, studentQuantile } from './special.ts';

test('lnGamma agrees with factorials and with Γ(½) = √π', () => {
  expect(lnGamma(1)).toBeCloseTo(0, 12);
  expect(lnGamma(11)).toBeCloseTo(Math.log(3628800), 12);
  expect(lnGamma(0.5)).toBeCloseTo(0.5 * Math.log(Math.PI), 12);
  expect(lnBeta(2, 3)).toBeCloseTo(Math.log(1 / 12), 12);
});

test.each([
  [0.01, -2.326348],
  [0.5, 0],
  [0.8, 0.841621],
  [0.975, 1.959964],
  [1e-6, -4.753424],
])('the normal quantile at %d is %d', (p, z) => {
  expect(normalQuantile(p)).toBeCloseTo(z, 5);
});

test.each([
  [0.975, 10, 2.2281],
  [0.9975, 5, 4.7733],
  [0.995, 30, 2.75],
  [0.95, 3, 2.3534],
])("Student's t at %d with %d degrees is within 2 %% of the table's %d", (p, freedom, t) => {
  expect(Math.abs(studentQuantile(p, freedom) / t - 1)).toBeLessThan(0.02);
});
