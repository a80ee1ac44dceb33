import { describe, expect, test } from 'vitest';
import { exitCode, judge, podAffinity, report } from './index.ts';
import type { Verdict, VerdictInput } from './index.ts';

const empty: VerdictInput = {
  app: 'checkout',
  canary: 'v2',
  baseline: 'v1',
  buckets: { schema: 3 },
  windowSeconds: 30,
  now: 1_790_000_000,
  windows: [],
};

function verdictWith(more: Partial<Verdict>): Verdict {
  return { ...judge(empty), ...more };
}

test.each([
  ['pass', 'pass', 0],
  ['skewed', 'pass', 0],
  ['fail', 'fail', 1],
  ['marginal', 'inconclusive', 3],
  ['skewed', 'inconclusive', 3],
  ['inconclusive', 'inconclusive', 3],
] as const)('%s with code %s exits with %d', (verdict, code, exit) => {
  expect(exitCode(verdictWith({ verdict, code }))).toBe(exit);
});

describe('the report', () => {
  test('of an empty run', () => {
    expect(report(judge(empty))).toBe(
      [
        'INCONCLUSIVE: checkout v2 against v1',
        '  NO_CANARY_TRAFFIC: The canary has not answered a single request yet.',
        '  NO_BASELINE: There is no baseline traffic to compare with.',
        '',
      ].join('\n'),
    );
  });

  test('has what the asker knows besides directly under the headline', () => {
    expect(report(judge(empty), 'Versions with requests: v1.').split('\n')[1]).toBe(
      '  Versions with requests: v1.',
    );
  });

  test('says what could have been seen and when to come back', () => {
    const samples = { canary: 900, baseline: 900, blocks: 3, mde: 0.31, etaSeconds: 240 };
    const text = report(verdictWith({ samples }));
    expect(text).toContain('an increase of 31.0 % would be seen in 8 of 10 such runs');
    expect(text).toContain('expected in about 4 min');
  });

  test('says of each quantile what it may be worse by', () => {
    const p50 = { metric: 'p50', state: 'not-inferior', relative: 0.6, lower: 0.5, upper: 0.7 } as const;
    const rest = { raw: null, margin: 1.25, blocks: 30, mde: null, etaSeconds: null, evidence: null };
    const metrics = [{ ...p50, ...rest }];
    const samples = { canary: 900, baseline: 900, blocks: 30, mde: null, etaSeconds: null };
    expect(report(verdictWith({ metrics, samples }))).toContain(
      'p50      +60.0 % (+50.0 % to +70.0 %, margin +125.0 %) within the margin',
    );
  });

  test('puts versions into the affinity as YAML strings', () => {
    expect(podAffinity('check: out', '1.10')).toContain('"check: out", VERSION-LABEL: "1.10"');
  });
});
