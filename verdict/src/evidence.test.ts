import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addToDispersion, dispersionFactor, emptyDispersion } from './dispersion.ts';
import { emptyEvidence, evidenceValue, pushExposures } from './evidence.ts';
import { addOdds, emptyTally, oddsRatio, strataOf } from './exposures.ts';
import type { Exposure } from './exposures.ts';

/** Canary n1 beside a baseline on n1, and a baseline on n2. */
function window(canary: number, beside: number, elsewhere: number, trials = 1000): readonly Exposure[] {
  return [
    { node: 'n1', arm: 'canary', events: canary, trials },
    { node: 'n1', arm: 'baseline', events: beside, trials },
    { node: 'n2', arm: 'baseline', events: elsewhere, trials },
  ];
}

function valueAfter(windows: readonly (readonly Exposure[])[], better?: 'higher' | 'lower'): number {
  const evidence = emptyEvidence(0.05, better);
  for (const exposures of windows) pushExposures(evidence, exposures, 5);
  return evidenceValue(evidence);
}

describe('the error e-process', () => {
  test('needs no more than a dozen errors to see a tenfold rate', () => {
    expect(valueAfter(Array.from({ length: 4 }, () => window(4, 0, 1)))).toBeGreaterThan(1000);
  });

  test('is not fooled by a node on which both versions fail', () => {
    expect(valueAfter(Array.from({ length: 10 }, () => window(5, 5, 0)))).toBeLessThan(1);
  });

  test('sees a bad canary whose node is otherwise better than the rest', () => {
    expect(valueAfter(Array.from({ length: 10 }, () => window(5, 1, 5)))).toBeGreaterThan(333);
  });

  test('compares over the fleet when no node is shared', () => {
    const alone = (canary: number, other: number): readonly Exposure[] => [
      { node: 'n1', arm: 'canary', events: canary, trials: 1000 },
      { node: 'n2', arm: 'baseline', events: other, trials: 1000 },
    ];
    expect(valueAfter(Array.from({ length: 5 }, () => alone(10, 1)))).toBeGreaterThan(333);
    expect(valueAfter(Array.from({ length: 50 }, () => alone(3, 3)))).toBeLessThan(1);
  });

  test('an hour of health does not bury ten seconds of failure', () => {
    const healthy = Array.from({ length: 720 }, (_, i) => window(i % 2, (i + 1) % 2, 1));
    const failing = Array.from({ length: 4 }, () => window(10, 1, 1));
    expect(valueAfter(healthy)).toBeLessThan(1);
    expect(valueAfter([...healthy, ...failing])).toBeGreaterThan(333);
  });

  test('with better = higher, fewer events are the evidence', () => {
    const orders = (canary: number): readonly Exposure[] => window(canary, 100, 100);
    expect(
      valueAfter(
        Array.from({ length: 10 }, () => orders(60)),
        'higher',
      ),
    ).toBeGreaterThan(333);
    expect(
      valueAfter(
        Array.from({ length: 10 }, () => orders(140)),
        'higher',
      ),
    ).toBeLessThan(1);
  });

  test('the published sequence that a rank test passes is a failure at any traffic that makes it countable', () => {
    for (const requests of [300, 1000]) {
      const errors = [0, 0.048, 0, 0.18, 0.089, 0, 0.098, 0.035, 0, 0];
      const windows = errors.map((share) => window(Math.round(share * requests), 0, 0, requests));
      expect(valueAfter(windows)).toBeGreaterThan(333);
    }
  });

  test('is a number whatever the counts', () => {
    const events = fc.nat(1000);
    fc.assert(
      fc.property(fc.array(fc.tuple(events, events, events), { maxLength: 30 }), (rows) => {
        const value = valueAfter(rows.map(([a, b, c]) => window(a, b, c)));
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThan(Infinity);
      }),
    );
  });
});

test('the Mantel-Haenszel odds ratio of penicillin in rabbits is 7', () => {
  const tally = emptyTally();
  for (const table of [
    [
      [0, 6],
      [0, 5],
    ],
    [
      [3, 3],
      [0, 6],
    ],
    [
      [6, 0],
      [2, 4],
    ],
    [
      [5, 1],
      [6, 0],
    ],
    [
      [2, 0],
      [5, 0],
    ],
  ] as const) {
    addOdds(tally, table);
  }
  expect(oddsRatio(tally)).toBeCloseTo(7, 12);
});

test('a window is sorted into shared nodes and the rest', () => {
  const strata = strataOf([
    ...window(1, 2, 3),
    { node: 'n3', arm: 'canary', events: 4, trials: 10 },
    { node: 'n2', arm: 'canary', events: 0, trials: 0 },
  ]);
  expect(strata.shared).toHaveLength(1);
  expect(strata.canaryAlone).toEqual({ events: 4, trials: 10 });
  expect(strata.baselineElsewhere).toEqual({ events: 3, trials: 1000 });
});

describe('dispersion', () => {
  test('bursts raise it, a steady difference between arms does not', () => {
    const [bursts, few, many] = [emptyDispersion(), emptyDispersion(), emptyDispersion()];
    for (let i = 0; i < 100; i++) {
      addToDispersion(bursts, i % 5 === 0 ? 5 : 0, 1000);
      addToDispersion(few, 1, 1000);
      addToDispersion(many, 10, 1000);
    }
    expect(dispersionFactor([bursts])).toBeGreaterThan(3);
    expect(dispersionFactor([few, many])).toBe(1);
  });

  test('is limited, so that a canary cannot excuse itself by failing only now and then', () => {
    const wild = emptyDispersion();
    for (let i = 0; i < 100; i++) addToDispersion(wild, i % 50 === 0 ? 500 : 0, 1000);
    expect(dispersionFactor([wild])).toBe(8);
  });
});
