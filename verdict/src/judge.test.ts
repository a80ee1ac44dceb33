import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createJudge,
  exitCode,
  judge,
  judgeCourse,
  observationsOf,
  reasonSentence,
  report,
  VerdictInputError,
} from './index.ts';
import type { BucketCounts, Cell, Subject, VerdictInput, Window } from './index.ts';

const subject: Subject = {
  app: 'checkout',
  canary: 'v2',
  baseline: 'v1',
  buckets: { schema: 3 },
  windowSeconds: 30,
};
const start = 1_790_000_000;

/** A smooth histogram of `requests` requests around `seconds`, the same every time. */
function around(seconds: number, requests = 1500): BucketCounts {
  const centre = Math.round(8 * Math.log2(seconds));
  const shape = Array.from({ length: 41 }, (_, i) => Math.exp(-(((i - 20) / 7) ** 2) / 2));
  const total = shape.reduce((sum, value) => sum + value, 0);
  return { offset: centre - 20, counts: shape.map((value) => Math.round((value / total) * requests)) };
}

function cell(node: string, arm: Cell['arm'], seconds: number, more: Partial<Cell> = {}): Cell {
  const durations = around(seconds);
  const requests = observationsOf(durations);
  return { node, arm, requests, errors: 0, durations, ...more };
}

function input(
  count: number,
  cells: (i: number) => readonly Cell[],
  more: Partial<VerdictInput> = {},
): VerdictInput {
  const windows = Array.from({ length: count }, (_, i): Window => ({
    end: start + 30 * (i + 1),
    cells: cells(i),
  }));
  return { ...subject, now: start + 30 * count, windows, ...more };
}

describe('the verdict', () => {
  test('passes equal versions on shared nodes, once it has looked long enough', () => {
    const verdict = judge(input(50, () => [cell('n1', 'canary', 0.1), cell('n1', 'baseline', 0.1)]));
    expect(verdict).toMatchObject({ verdict: 'pass', code: 'pass', score: 100, reasons: ['NOT_INFERIOR'] });
    expect(verdict.grade).toEqual({ name: 'matched', share: 1, nodes: ['n1'] });
    expect(verdict.delta?.relative).toBeCloseTo(0, 6);
    expect(verdict.window).toEqual({ from: '2026-09-21T14:13:20Z', to: '2026-09-21T14:38:20Z' });
  });

  test('fails a canary that is a third slower than the baseline beside it', () => {
    const verdict = judge(input(40, () => [cell('n1', 'canary', 0.4), cell('n1', 'baseline', 0.3)]));
    expect(verdict).toMatchObject({ verdict: 'fail', code: 'fail', score: 0, reasons: ['LATENCY_WORSE'] });
    expect(verdict.delta?.lower).toBeGreaterThan(0.05);
  });

  test('waits, and suspects nothing, while a difference is proven that nobody would notice', () => {
    const verdict = judge(input(26, () => [cell('n1', 'canary', 0.0033), cell('n1', 'baseline', 0.003)]));
    expect(verdict.delta?.lower).toBeGreaterThan(0);
    expect(verdict).toMatchObject({ verdict: 'inconclusive', reasons: ['LOW_TRAFFIC'] });
  });

  test('passes on a lower quantile only where the wanted one would take more than half an hour', () => {
    const windows = 28; // 450 requests in each: 28 blocks of the p95, 6 of the p99
    const paced = (windowSeconds: number, canary = around(0.1, 450)): ReturnType<typeof judge> => {
      const cells = [
        cell('n1', 'canary', 0.1, { requests: 460, durations: canary }),
        cell('n1', 'baseline', 0.1, { requests: 460, durations: around(0.1, 450) }),
      ];
      const ends = Array.from({ length: windows }, (_, i) => start + windowSeconds * (i + 1));
      return judge(
        {
          ...subject,
          windowSeconds,
          now: ends.at(-1) ?? start,
          windows: ends.map((end) => ({ end, cells })),
        },
        { marginSeconds: 0.001 },
      );
    };
    const busy = paced(5);
    expect(busy).toMatchObject({ verdict: 'inconclusive', reasons: ['LOW_TRAFFIC'] });
    expect(busy.samples.etaSeconds).toBeGreaterThan(200);
    expect(paced(60)).toMatchObject({
      verdict: 'pass',
      reasons: ['NOT_INFERIOR', 'LOWER_QUANTILE_JUDGED'],
      delta: { metric: 'p95' },
    });

    const { offset, counts } = around(0.1, 450);
    const slowTail = [...counts.slice(0, 37), ...Array.from({ length: 8 }, () => 0), ...counts.slice(37)];
    const moved = slowTail.map((count, i) => (i > 40 ? count + 2 : count));
    expect(paced(60, { offset, counts: moved }).verdict).not.toBe('pass');
  });

  test('calls a canary skewed when every pod on its node is slow', () => {
    const verdict = judge(
      input(60, () => [
        cell('n1', 'canary', 0.4),
        cell('n1', 'baseline', 0.4),
        ...['n2', 'n3', 'n4'].map((node) => cell(node, 'baseline', 0.3)),
      ]),
    );
    expect(verdict).toMatchObject({ verdict: 'skewed', code: 'pass', score: 95 });
    expect(verdict.reasons).toEqual([
      'NODE_CONTENTION',
      'RAW_DELTA_EXCEEDS_MARGIN',
      'MATCHED_DELTA_WITHIN_MARGIN',
    ]);
    expect(verdict.contention.explained).toBeGreaterThan(0.9);
  });

  test('fails a slow canary that hides on a quiet node, and says so', () => {
    const verdict = judge(
      input(40, () => [
        cell('n1', 'canary', 0.4),
        cell('n1', 'baseline', 0.3),
        ...['n2', 'n3', 'n4', 'n5'].map((node) => cell(node, 'baseline', 0.4)),
      ]),
    );
    expect(verdict.verdict).toBe('fail');
    expect(verdict.reasons).toContain('MASKED_BY_QUIET_NODE');
  });

  test('does not fail a slow canary without a baseline on its node, and shows the remedy', () => {
    const verdict = judge(
      input(40, () => [
        cell('n1', 'canary', 0.4),
        ...['n2', 'n3', 'n4', 'n5'].map((n) => cell(n, 'baseline', 0.3)),
      ]),
    );
    expect(verdict).toMatchObject({ verdict: 'marginal', grade: { name: 'none' } });
    expect(verdict.reasons).toContain('GRADE_NOT_SUFFICIENT');
    expect(report(verdict)).toContain('podAffinity');
  });

  test('calls what healed marginal', () => {
    const verdict = judge(
      input(60, (i) => [cell('n1', 'canary', i < 42 ? 2 : 0.3), cell('n1', 'baseline', 0.3)]),
    );
    expect(verdict).toMatchObject({ verdict: 'marginal', reasons: ['HEALED'] });
  });

  test('sees a canary turn slow after an hour of health within a quarter of an hour', () => {
    const from = 120;
    const growing = createJudge(subject);
    const run = input(from + 30, (i) => [
      cell('n1', 'canary', i < from ? 0.3 : 0.4),
      cell('n1', 'baseline', 0.3),
      cell('n2', 'canary', i < from ? 0.3 : 0.4),
      cell('n2', 'baseline', 0.3),
    ]);
    const words = run.windows.map((window) => {
      growing.push(window);
      return growing.verdict().verdict;
    });
    expect(words.slice(0, from)).not.toContain('fail');
    expect(words.slice(from)).toContain('fail');
  });

  test.each([
    ['interleaved', [1, 100, 100, 1, 100, 100, 1, 100, 100, 100]],
    ['in pairs', [100, 100, 1, 100, 100, 1, 100, 1, 100, 100]],
  ])('fails 100 s in seven of ten points against 1 s, %s', (_, seconds) => {
    // A window more for the warm-up; the eleven together are the published ten points.
    const verdict = judge(
      input(11, (i) => [cell('n1', 'canary', seconds[i - 1] ?? 1), cell('n1', 'baseline', 1)]),
    );
    expect(verdict.verdict).toBe('fail');
  });

  test('fails on errors within a thousand requests of a tenfold rate, whatever the latency', () => {
    const cells = (errors: number): readonly Cell[] => [
      { node: 'n1', arm: 'canary', requests: 100, errors },
      { node: 'n1', arm: 'baseline', requests: 100, errors: 0 },
      { node: 'n2', arm: 'baseline', requests: 200, errors: 0 },
    ];
    expect(judge(input(10, () => cells(1)))).toMatchObject({ verdict: 'fail', reasons: ['ERRORS_WORSE'] });
    expect(judge(input(10, (i) => cells(i === 5 ? 1 : 0))).verdict).toBe('inconclusive');
  });

  test('that fails on errors says of one that is slower that it is', () => {
    const errors = { errors: 40 };
    const verdict = judge(input(60, () => [cell('n1', 'canary', 0.2, errors), cell('n1', 'baseline', 0.1)]));
    expect(verdict).toMatchObject({ verdict: 'fail', reasons: ['ERRORS_WORSE', 'LATENCY_WORSE'] });
  });

  test('blames neither version when both lose requests', () => {
    const verdict = judge(
      input(30, () => [
        cell('n1', 'canary', 0.1, { errors: 60 }),
        cell('n1', 'baseline', 0.1, { errors: 60 }),
      ]),
    );
    expect(verdict).toMatchObject({ verdict: 'inconclusive', reasons: ['BASELINE_ALSO_BAD'] });
    expect(verdict.errors.baselineStable).toBe(false);
  });

  test('suspects a retry storm when demand and baseline errors rise with the canary', () => {
    const quiet = { requests: 1000, errors: 1 };
    const storm = { requests: 1500, errors: 12 };
    const verdict = judge(
      input(40, (i) =>
        i < 10
          ? [{ ...cell('n1', 'baseline', 0.1), ...quiet }]
          : [
              { ...cell('n1', 'baseline', 0.1), ...storm },
              { ...cell('n1', 'canary', 0.1), ...storm },
            ],
      ),
    );
    expect(verdict.verdict).toBe('marginal');
    expect(verdict.reasons).toContain('RETRY_STORM_SUSPECTED');
    expect(verdict.errors.baselineStable).toBe(false);
  });

  test('does not trust buckets wider than the margin with a pass, nor with a small failure', () => {
    const coarse = { buckets: { schema: 0 } } as const;
    const counts = (share: number): Partial<Cell> => ({
      durations: { offset: -3, counts: [1500 - Math.round(1500 * share), Math.round(1500 * share)] },
    });
    const verdict = judge(
      input(
        40,
        () => [cell('n1', 'canary', 0.1, counts(0.5)), cell('n1', 'baseline', 0.1, counts(0.4))],
        coarse,
      ),
    );
    expect(verdict.verdict).toBe('marginal');
    expect(verdict.reasons).toContain('BUCKETS_TOO_COARSE');
  });

  test('remarks on a traffic share far from the one asked for, and on the error budget', () => {
    const verdict = judge(
      input(40, () => [cell('n1', 'canary', 0.1, { errors: 3 }), cell('n1', 'baseline', 0.1, { errors: 3 })]),
      { expectedWeight: 0.05, slo: 0.999 },
    );
    expect(verdict.reasons).toContain('TRAFFIC_SHARE_UNEXPECTED');
    expect(verdict.errors.burnRate?.canary).toBeCloseTo(2, 1);
  });
});

describe('with net durations and no shared node', () => {
  const nodes = ['n2', 'n3', 'n4', 'n5', 'n6'];
  const contention = { runqueueP95Seconds: 0.0001, throttledShare: 0, cpuPressureShare: 0.01 };
  const net = (seconds: number, busy = 1): Partial<Cell> => ({
    netDurations: around(seconds),
    contention: { ...contention, cpuPressureShare: 0.01 * busy },
  });
  const run = (raw: number, less: number, busy: number): ReturnType<typeof judge> =>
    judge(
      input(60, () => [
        cell('n1', 'canary', raw, net(less, busy)),
        ...nodes.map((node) => cell(node, 'baseline', 0.3, net(0.3))),
      ]),
    );

  test('what the scheduler took is not held against the canary', () => {
    expect(run(0.4, 0.3, 30)).toMatchObject({ verdict: 'skewed', code: 'pass', grade: { name: 'measured' } });
  });

  test('slow code fails, while nothing else about its node stands out', () => {
    expect(run(0.4, 0.4, 1)).toMatchObject({ verdict: 'fail', reasons: ['LATENCY_WORSE'] });
    expect(run(0.4, 0.4, 30)).toMatchObject({
      verdict: 'marginal',
      reasons: ['LATENCY_SUSPECT', 'CONTENTION_DIFFERS'],
    });
  });
});

describe('with net durations and shared nodes', () => {
  interface Beside {
    readonly raw: number;
    readonly net: number;
    readonly waits?: Partial<Cell>;
    readonly baseline?: number;
    readonly baselineWaits?: Partial<Cell>;
  }
  const run = ({ raw, net, waits, baseline = 0.3, baselineWaits }: Beside): ReturnType<typeof judge> =>
    judge(
      input(60, () => [
        cell('n1', 'canary', raw, { netDurations: around(net), ...waits }),
        cell('n1', 'baseline', baseline, { netDurations: around(0.3), ...baselineWaits }),
      ]),
    );
  const waitFor = (ownSeconds: number, othersSeconds: number): Partial<Cell> => ({
    cpuWait: { ownSeconds, othersSeconds },
  });

  test('a neighbour on the CPUs of the canary alone makes it skewed, not failed', () => {
    const verdict = run({ raw: 0.4, net: 0.3, waits: waitFor(1, 40) });
    expect(verdict).toMatchObject({
      verdict: 'skewed',
      code: 'pass',
      grade: { name: 'matched' },
      reasons: ['NODE_CONTENTION', 'RAW_DELTA_EXCEEDS_MARGIN', 'ADJUSTED_DELTA_WITHIN_MARGIN'],
    });
    expect(verdict.contention.explained).toBeCloseTo(1);
  });

  test('what is left of it may be proven, as long as that lies within the margin', () => {
    const verdict = judge(
      input(22, () => [
        cell('n1', 'canary', 0.05, { netDurations: around(0.0033), ...waitFor(1, 40) }),
        cell('n1', 'baseline', 0.003, { netDurations: around(0.003) }),
      ]),
    );
    expect(verdict.delta?.lower).toBeGreaterThan(0);
    expect(verdict).toMatchObject({
      verdict: 'skewed',
      code: 'inconclusive',
      reasons: ['NODE_CONTENTION', 'RAW_DELTA_EXCEEDS_MARGIN'],
    });
  });

  test('slow code fails, with a neighbour on its CPUs and without', () => {
    expect(run({ raw: 0.4, net: 0.4 })).toMatchObject({ verdict: 'fail', reasons: ['LATENCY_WORSE'] });
    expect(run({ raw: 0.5, net: 0.4 })).toMatchObject({ verdict: 'fail', reasons: ['LATENCY_WORSE'] });
  });

  test('a canary that others starve of CPU is not failed for its queue; one that is as badly off as its baseline is', () => {
    // Of some 1500 seconds in each window, and of 450 of the baseline.
    const starved = { ...waitFor(1, 40), schedDelaySeconds: 900 };
    expect(run({ raw: 1, net: 0.4, waits: starved })).toMatchObject({
      verdict: 'marginal',
      reasons: ['STARVED_OF_CPU', 'LATENCY_SUSPECT'],
    });
    const jostled = { ...starved, schedDelaySeconds: 300 };
    expect(run({ raw: 1, net: 0.4, waits: jostled })).toMatchObject({ verdict: 'fail' });
    expect(
      run({ raw: 1, net: 0.4, waits: starved, baselineWaits: { schedDelaySeconds: 270 } }),
    ).toMatchObject({
      verdict: 'fail',
    });
  });

  test('nor is the code of one passed: it was not seen at work', () => {
    const starved = { schedDelaySeconds: 50, cpuSeconds: 12, cpuWait: { ownSeconds: 0, othersSeconds: 40 } };
    expect(run({ raw: 1, net: 0.3, waits: starved })).toMatchObject({
      verdict: 'skewed',
      code: 'inconclusive',
      reasons: expect.arrayContaining(['STARVED_OF_CPU']) as string[],
    });
  });

  test('nor is one whose CPU is wanted nearly all the time, however little of its requests’ time is waiting', () => {
    // Per window of 30 s and some 1500 requests.
    const busy = (cpuSeconds: number, othersSeconds: number) => ({
      schedDelaySeconds: 50,
      cpuSeconds,
      cpuWait: { ownSeconds: 0, othersSeconds },
    });
    expect(run({ raw: 0.4, net: 0.4, waits: busy(12, 14) })).toMatchObject({
      verdict: 'marginal',
      reasons: ['STARVED_OF_CPU', 'LATENCY_SUSPECT'],
    });
    expect(run({ raw: 0.4, net: 0.4, waits: busy(10, 30) })).toMatchObject({ verdict: 'marginal' });
    // The kernel has seen that requests were delayed by more than the threads' waits: the queue is part of the delay.
    const seen = { ...busy(12, 14), schedDelaySeconds: 80 };
    expect(run({ raw: 0.4, net: 0.4, waits: seen })).toMatchObject({ verdict: 'fail' });
    // Plenty of CPU is left; or the code itself keeps it busy; or the baseline has the same neighbour.
    expect(run({ raw: 0.4, net: 0.4, waits: busy(3, 3) })).toMatchObject({ verdict: 'fail' });
    expect(run({ raw: 0.4, net: 0.4, waits: busy(26, 1) })).toMatchObject({ verdict: 'fail' });
    expect(run({ raw: 0.4, net: 0.4, waits: busy(12, 14), baselineWaits: busy(12, 14) })).toMatchObject({
      verdict: 'fail',
    });
  });

  test('slow code fails when the baseline beside it has the neighbour', () => {
    expect(run({ raw: 0.4, net: 0.4, baseline: 0.4 })).toMatchObject({
      verdict: 'fail',
      reasons: ['LATENCY_WORSE', 'MASKED_BY_QUIET_NODE'],
    });
  });

  test.each([
    ['keeps its CPUs busy itself', waitFor(40, 1)],
    ['is held back by its own limit', { contention: { throttledShare: 0.2 } }],
  ])('a canary that waits because it %s fails', (_, waits) => {
    expect(run({ raw: 0.4, net: 0.3, waits })).toMatchObject({
      verdict: 'fail',
      reasons: ['LATENCY_WORSE', 'WAITS_FOR_ITSELF'],
    });
  });
});

describe('beside a hypervisor that takes CPU time', () => {
  /** Each version is pinned to CPUs of its own on a shared node. */
  const run = (canary: number, baseline: number, canarySteal: number, baselineSteal: number) =>
    judge(
      input(60, () => [
        cell('n1', 'canary', canary, { contention: { stealShare: canarySteal } }),
        cell('n1', 'baseline', baseline, { contention: { stealShare: baselineSteal } }),
      ]),
    );

  test('a canary that looks slow as steal can make it is not failed', () => {
    expect(run(0.03, 0.02, 0, 0)).toMatchObject({ verdict: 'fail' });
    expect(run(0.03, 0.02, 0.05, 0)).toMatchObject({
      verdict: 'marginal',
      code: 'inconclusive',
      reasons: ['CPU_STOLEN', 'LATENCY_SUSPECT'],
      contention: { stealShare: { canary: expect.closeTo(0.05, 9) as number, baseline: 0 } },
    });
  });

  test('the report says how much was stolen', () => {
    expect(report(run(0.03, 0.02, 0.05, 0))).toContain(
      "steal    5.0 % of the canary's CPU time, 0.0 % of the baseline's",
    );
  });

  test('one that is slower than steal can make it fails', () => {
    expect(run(0.06, 0.02, 0.02, 0)).toMatchObject({ verdict: 'fail', reasons: ['LATENCY_WORSE'] });
    expect(run(0.4, 0.3, 0.01, 0)).toMatchObject({ verdict: 'fail', reasons: ['LATENCY_WORSE'] });
  });

  test('what both versions lose alike explains nothing', () => {
    expect(run(0.03, 0.02, 0.05, 0.05)).toMatchObject({ verdict: 'fail', reasons: ['LATENCY_WORSE'] });
    expect(run(0.02, 0.02, 0.05, 0.05)).toMatchObject({ verdict: 'pass' });
  });

  test('a canary does not pass against a baseline that steal may have slowed down', () => {
    expect(run(0.1, 0.1, 0, 0.05)).toMatchObject({
      verdict: 'inconclusive',
      reasons: ['CPU_STOLEN'],
    });
    expect(run(0.1, 0.1, 0.05, 0)).toMatchObject({ verdict: 'pass' });
  });

  test('steal explains only what came with it', () => {
    const slowInTheEnd = (stealAt: (i: number) => number) =>
      judge(
        input(80, (i) => [
          cell('n1', 'canary', i < 40 ? 0.02 : 0.03, { contention: { stealShare: stealAt(i) } }),
          cell('n1', 'baseline', 0.02, { contention: { stealShare: 0 } }),
        ]),
      );
    expect(slowInTheEnd((i) => (i < 40 ? 0 : 0.05))).toMatchObject({
      verdict: 'marginal',
      reasons: ['CPU_STOLEN', 'LATENCY_SUSPECT'],
    });
    expect(slowInTheEnd((i) => (i < 20 ? 0.05 : 0))).toMatchObject({ verdict: 'fail' });
  });
});

describe('with co-tenants and no shared node', () => {
  const others = (node: string, factor: number): readonly Cell[] =>
    ['a', 'b', 'c'].map((name) => cell(node, `other:${name}`, 0.2 * factor));
  const run = (canary: number, node: number): ReturnType<typeof judge> =>
    judge(
      input(60, () => [
        cell('n1', 'canary', canary),
        cell('n2', 'baseline', 0.3),
        ...others('n1', node),
        ...others('n2', 1),
      ]),
    );

  test('what slows everyone on the node is taken out', () => {
    expect(run(0.6, 2)).toMatchObject({ verdict: 'skewed', code: 'pass', grade: { name: 'co-tenant' } });
  });

  test('what slows only the canary fails it', () => {
    expect(run(0.6, 1)).toMatchObject({ verdict: 'fail', grade: { name: 'co-tenant' } });
  });
});

describe('signals', () => {
  const run = (
    canary: number,
    kind: 'ratio' | 'mean',
    better: 'higher' | 'lower',
  ): ReturnType<typeof judge> => {
    const plain = input(60, () => [cell('n1', 'canary', 0.1), cell('n1', 'baseline', 0.1)]);
    const windows = plain.windows.map((window, i) => {
      const jitter = (i % 3) - 1;
      const cells = [
        { node: 'n1', arm: 'canary', numerator: canary + jitter, denominator: 1500 },
        { node: 'n1', arm: 'baseline', numerator: 300 - jitter, denominator: 1500 },
      ] as const;
      return { ...window, signals: [{ name: 'checkout_completed', kind, better, cells }] };
    });
    return judge({ ...plain, windows });
  };

  test('a lost order fails a canary whose latency is perfect', () => {
    expect(run(230, 'ratio', 'higher')).toMatchObject({ verdict: 'fail', reasons: ['SIGNAL_WORSE'] });
    expect(run(300, 'ratio', 'higher').verdict).toBe('pass');
  });

  test('a mean is held to the same margins', () => {
    expect(run(390, 'mean', 'lower')).toMatchObject({ verdict: 'fail', reasons: ['SIGNAL_WORSE'] });
    expect(run(300, 'mean', 'lower').verdict).toBe('pass');
    expect(run(300, 'mean', 'lower').metrics.map(({ metric }) => metric)).toContain('checkout_completed');
  });
});

describe('what is missing is said, and is no failure', () => {
  test.each([
    ['no windows', input(0, () => []), ['NO_CANARY_TRAFFIC', 'NO_BASELINE']],
    ['no canary', input(9, () => [cell('n1', 'baseline', 0.1)]), ['NO_CANARY_TRAFFIC']],
    ['no baseline', input(9, () => [cell('n1', 'canary', 0.1, { errors: 900 })]), ['NO_BASELINE']],
    [
      'old windows',
      { ...input(9, () => [cell('n1', 'canary', 0.1), cell('n1', 'baseline', 0.1)]), now: start + 9000 },
      ['STALE'],
    ],
  ])('%s', (_, given, reasons) => {
    const verdict = judge(given);
    expect(verdict).toMatchObject({ verdict: 'inconclusive', code: 'inconclusive', reasons });
    expect(exitCode(verdict)).toBe(3);
    for (const reason of verdict.reasons) expect(report(verdict)).toContain(reasonSentence(reason));
  });

  test('requests without durations', () => {
    const bare = (arm: Cell['arm']): Cell => ({ node: 'n1', arm, requests: 1000, errors: 0 });
    expect(judge(input(30, () => [bare('canary'), bare('baseline')])).reasons).toContain('NO_DURATIONS');
  });
});

describe('a growing run', () => {
  const anyWindow = fc.array(
    fc.record({
      node: fc.constantFrom('n1', 'n2', 'n3'),
      arm: fc.constantFrom('canary' as const, 'baseline' as const, 'other:x' as const),
      seconds: fc.constantFrom(0.05, 0.1, 0.13, 1),
      errors: fc.nat(20),
    }),
    { maxLength: 6 },
  );
  const anyRun = fc.array(anyWindow, { maxLength: 25 }).map((rows) =>
    input(rows.length, (i) => {
      const byKey = new Map((rows[i] ?? []).map((row) => [`${row.arm} ${row.node}`, row]));
      return [...byKey.values()].map(({ node, arm, seconds, errors }) =>
        cell(node, arm, seconds, { errors }),
      );
    }),
  );

  test('says after every window what a whole recompute says', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const growing = createJudge(subject);
        run.windows.forEach((window, i) => {
          growing.push(window);
          const whole = judge({ ...run, windows: run.windows.slice(0, i + 1), now: window.end });
          expect(growing.verdict()).toEqual(whole);
        });
      }),
      { numRuns: 25 },
    );
  });

  test('has a course that is what it said after each window, and takes typed arrays for the same', () => {
    const typed = (counts: BucketCounts | undefined) =>
      counts && { ...counts, counts: Float64Array.from(counts.counts) };
    fc.assert(
      fc.property(anyRun, (run) => {
        const windows = run.windows.map(({ cells, ...window }) => ({
          ...window,
          cells: cells.map(({ durations, netDurations, ...rest }) => ({
            ...rest,
            ...(durations && { durations: typed(durations) }),
            ...(netDurations && { netDurations: typed(netDurations) }),
          })),
        })) as readonly Window[];
        const { verdict, looks } = judgeCourse({ ...run, windows });
        expect(verdict).toEqual(judge(run));
        const growing = createJudge(subject);
        const said = run.windows.map((window) => {
          growing.push(window);
          return { end: window.end, metrics: growing.verdict().metrics };
        });
        const isQuantile = ({ metric }: { readonly metric: string }) => /^p\d+$/.test(metric);
        expect(looks).toEqual(said.map(({ end, metrics }) => ({ end, metrics: metrics.filter(isQuantile) })));
      }),
      { numRuns: 25 },
    );
  });

  test('is not disturbed by being asked, nor by a window it refused', () => {
    fc.assert(
      fc.property(anyRun, (run) => {
        const asked = createJudge(subject);
        const quiet = createJudge(subject);
        for (const window of run.windows) {
          asked.push(window);
          asked.verdict();
          expect(() => {
            asked.push(window);
          }).toThrow(VerdictInputError);
          quiet.push(window);
        }
        expect(asked.verdict()).toEqual(quiet.verdict());
      }),
      { numRuns: 25 },
    );
  });
});
