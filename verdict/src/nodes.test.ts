import { describe, expect, test } from 'vitest';
import { layoutOf } from './buckets.ts';
import { emptyCovariate, foretoldSlowdown, pushCovariate } from './covariate.ts';
import { canaryNodes, contentionAlike, emptyNodes, nodeSpread, pushNodes } from './nodes.ts';
import { settingsOf } from './options.ts';
import { emptyRoster, membersOf } from './roster.ts';
import type { Cell } from './types.ts';
import { emptyWarmup, warmOf } from './warmup.ts';

const layout = layoutOf({ schema: 3 });

function cell(node: string, arm: Cell['arm'], bucket: number, cpuPressureShare = 0): Cell {
  return {
    node,
    arm,
    requests: 4000,
    errors: 0,
    durations: { offset: bucket, counts: [1000, 2000, 1000] },
    contention: { cpuPressureShare },
  };
}

describe('nodes', () => {
  const nodesWith = (buckets: readonly number[]): ReturnType<typeof emptyNodes> => {
    const nodes = emptyNodes();
    const cells = [cell('c1', 'canary', 0), ...buckets.map((bucket, i) => cell(`b${i}`, 'baseline', bucket))];
    pushNodes(nodes, membersOf(emptyRoster(), cells), true);
    return nodes;
  };

  test('that differ by nature make the unmatched comparison uncertain, for ever', () => {
    const alike = nodeSpread(nodesWith([0, 0, 0, 0, 0]), 'raw', 0.9, 0.01, layout);
    const apart = nodeSpread(nodesWith([0, 1, 2, 3, 4]), 'raw', 0.9, 0.01, layout);
    expect(alike).toBe(0);
    expect(apart).toBeGreaterThan(0.3);
  });

  test('fewer than four cannot show how much nodes differ', () => {
    expect(nodeSpread(nodesWith([0, 0, 0]), 'raw', 0.9, 0.01, layout)).toBeUndefined();
  });

  test('are alike when no sign of contention stands out on the canary’s', () => {
    const nodes = emptyNodes();
    const roster = emptyRoster();
    const both = [cell('c1', 'canary', 0, 0.1), cell('b1', 'baseline', 0, 0.1)];
    pushNodes(nodes, membersOf(roster, both), false);
    expect(contentionAlike(nodes)).toBe(true);
    pushNodes(nodes, membersOf(roster, [cell('c1', 'canary', 0, 0.5)]), false);
    expect(contentionAlike(nodes)).toBe(false);
    expect(contentionAlike(emptyNodes())).toBeUndefined();
    expect(canaryNodes(nodes)).toEqual(['c1']);
  });
});

describe('covariates', () => {
  test('foretell the slowdown that pressure brings to the baseline', () => {
    const covariate = emptyCovariate();
    // One bucket (ln 2 / 8) slower for each tenth of pressure.
    for (let i = 0; i < 40; i++)
      pushCovariate(covariate, [cell('b', 'baseline', i % 4, (i % 4) / 10)], layout);
    pushCovariate(covariate, [cell('c', 'canary', 3, 0.45)], layout);
    expect(foretoldSlowdown(covariate)).toBeCloseTo((0.3 / 0.1) * (Math.LN2 / 8), 1);
  });

  test('are silent without enough to learn from, and never speed a canary up', () => {
    const covariate = emptyCovariate();
    pushCovariate(covariate, [cell('c', 'canary', 0, 0)], layout);
    expect(foretoldSlowdown(covariate)).toBeUndefined();
    for (let i = 0; i < 40; i++)
      pushCovariate(covariate, [cell('b', 'baseline', i % 4, (i % 4) / 10)], layout);
    expect(foretoldSlowdown(covariate)).toBe(0);
  });
});

describe('warm-up', () => {
  const settings = settingsOf();
  const slow = (arm: Cell['arm'], requests: number): Cell => ({ node: 'n1', arm, requests, errors: 0 });
  const run = (arm: Cell['arm'], requests: readonly number[]): readonly boolean[] => {
    const warmup = emptyWarmup();
    const roster = emptyRoster();
    return requests.map((count, i) => {
      const members = membersOf(roster, [slow(arm, count)]);
      return warmOf(warmup, members, 30 * (i + 1), 30, settings).length > 0;
    });
  };

  test('is over after 60 seconds or 200 requests, whichever comes first', () => {
    expect(run('canary', [10, 10, 10])).toEqual([false, false, true]);
    expect(run('canary', [250, 10, 10])).toEqual([false, true, true]);
  });

  test('is not asked of a baseline that was there first, but of one that was away', () => {
    expect(run('baseline', [10, 10])).toEqual([true, true]);
    expect(run('baseline', [10, 0, 10, 0, 0, 10, 10])).toEqual([
      true,
      false,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
