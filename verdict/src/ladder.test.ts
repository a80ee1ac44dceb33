import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layoutOf } from './buckets.ts';
import { addCounts, effectiveSize, quantile } from './histogram.ts';
import { emptyLadder, emptyPair, pushPair } from './ladder.ts';
import type { Pair } from './ladder.ts';
import { emptyPairs, fillPairs } from './matching.ts';
import type { Coverage, WindowPairs } from './matching.ts';
import { emptyRoster, membersOf } from './roster.ts';
import { meanEffect } from './series.ts';
import type { Cell } from './types.ts';

const layout = layoutOf({ schema: 3 });

function cell(node: string, arm: Cell['arm'], offset: number, counts: readonly number[]): Cell {
  return {
    node,
    arm,
    requests: counts.reduce((sum, count) => sum + count, 0),
    errors: 0,
    durations: { offset, counts },
  };
}

function pairOf(requests: number, canaryOffset = 0): Pair {
  const pair = emptyPair();
  addCounts(pair.canary, { offset: canaryOffset, counts: [requests / 2, requests / 2] });
  addCounts(pair.baseline, { offset: 0, counts: [requests / 2, requests / 2] });
  return pair;
}

describe('the ladder', () => {
  test('ends a block of the median after 40 requests, of p95 after 400, of p99 after 2000', () => {
    const rungs = emptyLadder(0.99);
    for (let i = 0; i < 100; i++) pushPair(rungs, pairOf(40), layout);
    expect(rungs.map(({ p, effects }) => [p, effects.count])).toEqual([
      [0.5, 100],
      [0.9, 20],
      [0.95, 10],
      [0.99, 2],
    ]);
  });

  test('measures a canary one bucket slower as one bucket slower, at every rung', () => {
    const rungs = emptyLadder(0.99);
    for (let i = 0; i < 100; i++) pushPair(rungs, pairOf(40, 1), layout);
    for (const { effects } of rungs) expect(meanEffect(effects)).toBeCloseTo(Math.LN2 / 8, 9);
  });

  test('a node effect is taken out, and a block without one is void', () => {
    const rungs = emptyLadder(0.5);
    pushPair(rungs, pairOf(40, 1), layout, () => Math.LN2 / 8);
    pushPair(rungs, pairOf(40, 1), layout, () => NaN);
    expect(rungs.map(({ effects }) => [effects.count, meanEffect(effects)])).toEqual([
      [1, expect.closeTo(0, 9)],
    ]);
  });
});

describe('matching', () => {
  const fill = (pairs: WindowPairs, cells: readonly Cell[]): Coverage =>
    fillPairs(pairs, membersOf(emptyRoster(), cells));
  const size = fc.integer({ min: 1, max: 400 });

  test('identical code has identical distributions, however nodes differ and traffic is split', () => {
    // Whatever the sizes: node i holds its requests in a bucket of its own, so any imbalance would show.
    fc.assert(
      fc.property(fc.array(fc.tuple(size, size), { minLength: 1, maxLength: 6 }), (nodes) => {
        const pairs = emptyPairs();
        fill(
          pairs,
          nodes.flatMap(([canary, baseline], i) => [
            cell(`n${i}`, 'canary', 5 * i, [canary]),
            cell(`n${i}`, 'baseline', 5 * i, [baseline]),
          ]),
        );
        const { canary, baseline } = pairs.matched;
        expect(canary.total).toBeCloseTo(baseline.total, 6);
        for (const p of [0.123, 0.5, 0.9]) {
          expect(quantile(canary, layout, p)?.ln).toBeCloseTo(quantile(baseline, layout, p)?.ln ?? NaN, 6);
        }
      }),
    );
  });

  test('a node with one arm only is left out of the matched pair, and kept in the raw one', () => {
    const pairs = emptyPairs();
    const coverage = fill(pairs, [
      cell('n1', 'canary', 0, [100]),
      cell('n1', 'baseline', 0, [100]),
      cell('n2', 'canary', 0, [300]),
      cell('n3', 'baseline', 0, [500]),
    ]);
    expect(coverage).toEqual({ canary: 400, matched: 100, net: 0 });
    expect(pairs.raw.canary.total).toBe(400);
    expect(pairs.raw.baseline.total).toBe(600);
    expect(pairs.matched.canary.total).toBe(50);
  });

  test('a node with little of one arm gets no large say', () => {
    const pairs = emptyPairs();
    fill(pairs, [
      cell('n1', 'canary', 0, [1000]),
      cell('n1', 'baseline', 0, [1]),
      cell('n2', 'canary', 0, [1000]),
      cell('n2', 'baseline', 0, [1000]),
    ]);
    expect(effectiveSize(pairs.matched.baseline)).toBeGreaterThan(990);
  });
});
