import { describe, expect, test } from 'vitest';
import { layoutOf } from './buckets.ts';
import { addCounts, emptyHistogram, quantile } from './histogram.ts';
import { createRng } from '../sim/rng.ts';
import { excessSteal, slackOfSteal } from './steal.ts';

const layout = layoutOf({ schema: 3 });

/** Durations (seconds) as a histogram; `stealShare` of the CPU time of what answered them was taken. */
function histogramOf(durations: readonly number[], stealShare = 0): ReturnType<typeof emptyHistogram> {
  const histogram = emptyHistogram();
  for (const seconds of durations) {
    const offset = Math.ceil(8 * Math.log2(seconds));
    addCounts(histogram, { offset, counts: [1] }, 1, stealShare);
  }
  return histogram;
}

const rng = createRng(7);
const quiet = Array.from({ length: 40_000 }, () => 0.02 * Math.exp(0.5 * rng.normal()));
const lnOf = (durations: readonly number[], p: number): number =>
  quantile(histogramOf(durations), layout, p)?.ln ?? NaN;

/** What a host that takes `share` of the CPU in bursts of `length` makes of requests that run all the time. */
function stolenFrom(durations: readonly number[], share: number, length: number): readonly number[] {
  const quietSeconds = (length * (1 - share)) / share;
  return durations.map((own) => {
    const isUnderWay = rng.uniform() < share;
    let [taken, next] = [isUnderWay ? length * rng.uniform() : 0, -quietSeconds * Math.log(rng.uniform())];
    for (; next < own; next -= quietSeconds * Math.log(rng.uniform())) taken += length;
    return own + taken;
  });
}

describe('the slack for steal', () => {
  test.each([
    [0.02, 0.004],
    [0.02, 0.03],
    [0.05, 0.001],
    [0.05, 0.01],
    [0.1, 0.004],
    [0.1, 0.03],
  ])('covers what %d of the CPU, taken in bursts of %d s, costs', (share, length) => {
    const stolen = stolenFrom(quiet, share, length);
    for (const p of [0.5, 0.95, 0.99]) {
      const slack = slackOfSteal(histogramOf(quiet), layout, p, lnOf(quiet, p), share);
      expect(lnOf(stolen, p) - lnOf(quiet, p)).toBeLessThan(slack + 0.02);
    }
  });

  test('leaves a median provable: what is rare cannot move it far', () => {
    const slack = slackOfSteal(histogramOf(quiet), layout, 0.5, lnOf(quiet, 0.5), 0.02);
    expect(slack).toBeLessThan(0.07);
  });

  test('is more the more is stolen', () => {
    const slacks = [0.002, 0.01, 0.05, 0.2].map((share) =>
      slackOfSteal(histogramOf(quiet), layout, 0.99, lnOf(quiet, 0.99), share),
    );
    expect(slacks).toEqual([...slacks].sort((a, b) => a - b));
    expect(slacks[0]).toBeGreaterThan(0);
  });
});

test('only what one version loses more than the other counts, and next to nothing is nothing', () => {
  expect(excessSteal(histogramOf(quiet, 0.06), histogramOf(quiet, 0.01))).toBeCloseTo(0.05, 12);
  expect(excessSteal(histogramOf(quiet, 0.06), histogramOf(quiet, 0.06))).toBe(0);
  expect(excessSteal(histogramOf(quiet, 0.01), histogramOf(quiet, 0.06))).toBe(0);
  expect(excessSteal(histogramOf(quiet, 0.0005), emptyHistogram())).toBe(0);
});
