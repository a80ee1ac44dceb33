import { describe, expect, test } from 'vitest';
import { PrometheusError, type Prometheus, type PrometheusSeries } from './prometheus.ts';
import { gatherSignals, signalQuery, type SignalConfig } from './signals.ts';

test('a signal is asked for the app at hand, and a name cannot leave its quotes', () => {
  expect(
    signalQuery('rate(x{a="$app",n="$namespace"}[$window])', { app: 'a"b', namespace: undefined }, 30),
  ).toBe('rate(x{a="a\\"b",n=""}[30s])');
  expect(signalQuery('$apple', { app: 'a', namespace: undefined }, 30)).toBe('$apple');
});

const steps = { begin: 0, end: 60, seconds: 60 };
const labels = { namespace: 'namespace', app: 'app', version: 'version', node: 'node' };
const subject = { app: 'a', namespace: undefined, canary: 'v2', baseline: 'v1' };
const orders = {
  name: 'orders',
  kind: 'ratio',
  better: 'higher',
  numerator: 'top',
  denominator: 'bottom',
} as const;

const series = (version: string, value: number, code = 'a'): PrometheusSeries => ({
  metric: { version, node: 'n1', code },
  values: [[60, String(value)]],
});

const gather = async (
  signal: SignalConfig,
  top: readonly PrometheusSeries[],
  bottom = [series('v2', 10), series('v1', 20.2)],
) => {
  const queryRange = (query: string) => Promise.resolve(query === 'top' ? top : bottom);
  const prometheus = { queryRange } as Partial<Prometheus> as Prometheus;
  const { bySteps, notes } = await gatherSignals(prometheus, [signal], labels, subject, steps);
  return { cells: bySteps[1]?.[0]?.cells, notes };
};

test('labels besides version and node are summed, and other versions left out', async () => {
  expect(
    await gather(orders, [series('v2', 2.4), series('v2', 1, 'b'), series('v1', 9), series('v0', 9)]),
  ).toEqual({
    cells: [
      { node: 'n1', arm: 'canary', numerator: 3, denominator: 10 },
      { node: 'n1', arm: 'baseline', numerator: 9, denominator: 20 },
    ],
    notes: [],
  });
});

describe('a numerator that one version lacks', () => {
  test('is no drop where more is better', async () => {
    expect(await gather(orders, [series('v1', 9)])).toEqual({
      cells: [{ node: 'n1', arm: 'baseline', numerator: 9, denominator: 20 }],
      notes: ['signal orders: no data for v2; see judge --check-queries.'],
    });
  });

  test('is zero where less is better: a counter that has never counted has no series', async () => {
    expect(await gather({ ...orders, better: 'lower' }, [series('v2', 3)])).toEqual({
      cells: [
        { node: 'n1', arm: 'canary', numerator: 3, denominator: 10 },
        { node: 'n1', arm: 'baseline', numerator: 0, denominator: 20 },
      ],
      notes: [],
    });
  });

  test('is no mean of zero', async () => {
    const { cells } = await gather({ ...orders, kind: 'mean', better: 'lower' }, [series('v1', 9)]);
    expect(cells).toEqual([{ node: 'n1', arm: 'baseline', numerator: 9, denominator: 20 }]);
  });
});

test.each([
  ['that is not there', []],
  ['without the version', [{ metric: { node: 'n1' }, values: [[60, '3']] } satisfies PrometheusSeries]],
])('a numerator %s is no data for either version, and the answer says so', async (_, top) => {
  for (const better of ['higher', 'lower'] as const)
    expect(await gather({ ...orders, better }, top)).toEqual({
      cells: [],
      notes: ['signal orders: no data for v2 and v1; see judge --check-queries.'],
    });
});

test('a query that is refused is one signal without data, and the others are judged', async () => {
  const queryRange = (query: string) =>
    query === 'sum('
      ? Promise.reject(new PrometheusError('Prometheus refuses a query: parse error', { isRefusal: true }))
      : Promise.resolve([series('v2', 10), series('v1', 20)]);
  const prometheus = { queryRange } as Partial<Prometheus> as Prometheus;
  const broken = { ...orders, name: 'broken', numerator: 'sum(' };
  const { bySteps, notes } = await gatherSignals(prometheus, [broken, orders], labels, subject, steps);
  expect(bySteps[1]).toMatchObject([
    { name: 'broken', cells: [] },
    { name: 'orders', cells: [{ arm: 'canary' }, { arm: 'baseline' }] },
  ]);
  expect(notes).toEqual(['signal broken numerator: Prometheus refuses a query: parse error.']);
});

test('a Prometheus that does not answer is no trouble of a signal', async () => {
  const queryRange = () => Promise.reject(new PrometheusError('Prometheus is away'));
  const prometheus = { queryRange } as Partial<Prometheus> as Prometheus;
  await expect(gatherSignals(prometheus, [orders], labels, subject, steps)).rejects.toThrow('is away');
});

test('a value that is no number is none', async () => {
  const { cells } = await gather(
    orders,
    [series('v2', NaN), series('v1', 9)],
    [series('v2', 5), series('v1', Infinity)],
  );
  expect(cells).toEqual([]);
});
