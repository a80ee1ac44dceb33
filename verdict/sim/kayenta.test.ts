import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { classify, shiftInterval } from './kayenta.ts';
import type { KayentaOptions } from './kayenta.ts';

interface Case {
  readonly test: string;
  readonly experiment: readonly number[];
  readonly control: readonly number[];
  readonly params: string;
  readonly direction: 'Increase' | 'Decrease' | 'Either';
  readonly nanStrategy: string | null;
  readonly expected: readonly string[];
}

const cases = JSON.parse(
  readFileSync(new URL('fixtures/kayenta-classifier-cases.json', import.meta.url), 'utf8'),
) as readonly Case[];

/** The rank test's own cases; the others are of a classifier that the judge does not use for latency. */
const ours = cases.filter(
  ({ test: name, expected }) => name.startsWith('Mann-Whitney') && expected.length > 0,
);

describe("Kayenta's own cases", () => {
  test.each(ours.map((given) => [given.test, given] as const))('%s', (_, given) => {
    const wanted = /classification == (\w+)/.exec(given.expected.join())?.[1]?.toLowerCase();
    expect(classify(given.control, given.experiment, optionsOf(given))).toBe(wanted);
  });

  test('there are more than thirty', () => {
    expect(ours.length).toBeGreaterThan(30);
  });
});

test('four points ten times as large: the whole range, and the median of all differences', () => {
  const { lower, upper, estimate } = shiftInterval([1, 2, 3, 4], [10, 20, 30, 40], 0.95);
  expect(lower).toBeCloseTo(6, 6);
  expect(upper).toBeCloseTo(39, 6);
  expect(estimate).toBeCloseTo(22.5, 6);
});

test('what it lets pass: 100 against 1 in seven of ten points, and errors in five of ten', () => {
  const jumps = [100, 100, 100, 100, 100, 100, 100, 1, 1, 1];
  expect(classify(new Array<number>(10).fill(1), jumps)).toBe('pass');
  const errors = [0, 0.048, 0, 0.18, 0.089, 0, 0.098, 0.035, 0, 0];
  expect(classify(new Array<number>(10).fill(0), errors)).toBe('pass');
});

test('what it fails: half a percent, sustained', () => {
  const baseline = Array.from({ length: 60 }, (_, i) => 100 + 0.01 * (i % 7));
  expect(
    classify(
      baseline,
      baseline.map((value) => value * 1.005),
    ),
  ).toBe('high');
});

function optionsOf({ params, direction, nanStrategy }: Case): KayentaOptions {
  const number = (name: string): number => Number(new RegExp(`${name} = ([\\d.]+)`).exec(params)?.[1]);
  const pair = /effectSizeThresholds ?= ?\(([\d.]+), ([\d.]+)\)/.exec(params);
  return {
    tolerance: number('tolerance'),
    confidence: number('confLevel'),
    direction,
    missingPasses: nanStrategy === 'Replace',
    effectMeasure: params.includes('cles') ? 'cles' : 'meanRatio',
    ...(pair && { effectSizes: [Number(pair[1]), Number(pair[2])] }),
  };
}
