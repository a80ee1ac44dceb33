import { expect, test } from 'vitest';
import { goals } from './goals.ts';
import { outcomeOf } from './outcome.ts';
import { binomialCdf, lowerBound, percentile, upperBound } from './stats.ts';
import { quantileOf, families, normalCdf, slowed, tabulate } from './families.ts';
import { createRng } from './rng.ts';
import { createWorld } from './world.ts';

const goalsByName = new Map(goals.map((goal) => [goal.name, goal]));

/** A few runs of a goal's scenario, with the same seeds as the bench. */
function outcomes(name: string, runs: number): readonly ReturnType<typeof outcomeOf>[] {
  const goal = goalsByName.get(name);
  if (!goal) throw new Error(`no goal ${name}`);
  return Array.from({ length: runs }, (_, run) => outcomeOf({ ...goal, comparable: false }, run));
}

test('a neighbour rolls nothing back, and the canary may go on', () => {
  for (const { failed, last } of outcomes('such runs end skewed or pass, with code pass', 10)) {
    expect(failed).toBe(false);
    expect(last.code).toBe('pass');
  }
});

test('+20 % is caught in every latency family', () => {
  for (const { failedAtRequests } of outcomes('+20 % p99 caught, matched', 15)) {
    expect(failedAtRequests).toBeLessThan(120_000);
  }
});

test('+20 % on a quiet node is caught', () => {
  for (const { failed } of outcomes('+20 % hidden by a quiet node caught', 10)) expect(failed).toBe(true);
});

test('what is slow in its tail alone does not pass before the tail is known', () => {
  for (const { passed } of outcomes('false pass, +20 % in the tail alone, looks every 5 s', 5)) {
    expect(passed).toBe(false);
  }
});

test('half a request a second is too little to fail or to pass, and the verdict says how long it takes', () => {
  for (const { words, last } of outcomes('0.5 rps a pod, identical: fails', 5)) {
    expect([...words]).toEqual(['inconclusive']);
    expect(last.samples.mde).toBeGreaterThan(0);
    expect(last.samples.etaSeconds).toBeGreaterThan(0);
  }
});

test('a bad node is not the canary’s fault', () => {
  for (const { failed } of outcomes('false rollback, a bad node gives both versions 0.5 % errors', 2)) {
    expect(failed).toBe(false);
  }
});

test.each([
  'false rollback, a host steals 5 % from the canary’s CPUs alone, requests queue',
  'false rollback, 1 to 4 others want the canary’s CPUs all the time, requests queue',
])('%s: none', (name) => {
  for (const { failed } of outcomes(name, 3)) expect(failed).toBe(false);
});

test('what makes every request slower is seen beside steal', () => {
  for (const { failed } of outcomes('every request 20 % slower, caught beside 2 % steal', 3)) {
    expect(failed).toBe(true);
  }
});

test('a world depends on its seed alone', () => {
  const scenario = goals[0]?.scenario(3);
  if (!scenario) throw new Error('no goals');
  const short = { ...scenario, minutes: 2 };
  expect(createWorld(short, 3)).toEqual(createWorld(short, 3));
  expect(createWorld(short, 3)).not.toEqual(createWorld(short, 8));
});

test('a slowing moves p99 by what it says, in every family', () => {
  for (const base of Object.values(families)) {
    for (const kind of ['scale', 'shift', 'tail'] as const) {
      expect(quantileOf(slowed(base, kind, 0.2), 0.99) / quantileOf(base, 0.99)).toBeCloseTo(1.2, 4);
    }
  }
});

test('bucket probabilities add up to one', () => {
  for (const base of Object.values(families)) {
    const sum = tabulate(base)
      .probabilities(0.3)
      .reduce((total, p) => total + p, 0);
    expect(sum).toBeCloseTo(1, 9);
  }
});

test.each([0.3, 4, 25, 900])('Poisson draws of mean %d have that mean and variance', (mean) => {
  const rng = createRng(5);
  const draws = Array.from({ length: 20_000 }, () => rng.poisson(mean));
  const average = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
  const variance = draws.reduce((sum, draw) => sum + (draw - average) ** 2, 0) / draws.length;
  expect(Math.abs(average - mean)).toBeLessThan(4 * Math.sqrt(mean / draws.length));
  expect(variance / mean).toBeCloseTo(1, 1);
});

test('bounds are exact: none of 300 is at most 1 %, and the normal distribution is the textbook’s', () => {
  expect(upperBound(0, 300)).toBeCloseTo(1 - 0.05 ** (1 / 300), 8);
  expect(lowerBound(300, 300)).toBeCloseTo(0.05 ** (1 / 300), 8);
  expect(binomialCdf(1, 2, 0.5)).toBeCloseTo(0.75, 12);
  expect(normalCdf(1.959964)).toBeCloseTo(0.975, 6);
  expect(normalCdf(-0.5)).toBeCloseTo(0.308538, 6);
});

test('percentiles are of type 7, as published', () => {
  const halves = Array.from({ length: 8 }, (_, i) => i / 2);
  expect(percentile(halves, 0.05)).toBeCloseTo(0.175, 12);
  expect(percentile(halves, 0.5)).toBeCloseTo(1.75, 12);
  const nist = [
    95.1772, 95.1567, 95.1937, 95.1959, 95.1442, 95.061, 95.1591, 95.1195, 95.1772, 95.0925, 95.199, 95.1682,
  ];
  expect(percentile(nist, 0.9)).toBeCloseTo(95.19568, 8);
  expect(percentile([], 0.5)).toBeUndefined();
});
