import { expect, test } from 'vitest';
import type { Prometheus, PrometheusSeries } from './prometheus.ts';
import { gatherSignals, signalQuery } from './signals.ts';

test('a signal is asked for the app at hand, and a name cannot leave its quotes', () => {
  expect(
    signalQuery('rate(x{a="$app",n="$namespace"}[$window])', { app: 'a"b', namespace: undefined }, 30),
  ).toBe('rate(x{a="a\\"b",n=""}[30s])');
  expect(signalQuery('$apple', { app: 'a', namespace: undefined }, 30)).toBe('$apple');
});

test('labels besides version and node are summed, and other versions left out', async () => {
  const steps = { begin: 0, end: 60, seconds: 60 };
  const series = (version: string, code: string, value: number): PrometheusSeries => ({
    metric: { version, node: 'n1', code },
    values: [[60, String(value)]],
  });
  const answers: Readonly<Record<string, readonly PrometheusSeries[]>> = {
    top: [series('v2', 'a', 2.4), series('v2', 'b', 1), series('v0', 'a', 9)],
    bottom: [series('v2', 'a', 10), series('v1', 'a', 20.2)],
  };
  const prometheus = {
    queryRange: (query: string) => Promise.resolve(answers[query] ?? []),
  } as Partial<Prometheus> as Prometheus;
  const signal = {
    name: 's',
    kind: 'ratio',
    better: 'higher',
    numerator: 'top',
    denominator: 'bottom',
  } as const;
  const labels = { namespace: 'namespace', app: 'app', version: 'version', node: 'node' };
  const subject = { app: 'a', namespace: undefined, canary: 'v2', baseline: 'v1' };
  const [, second] = await gatherSignals(prometheus, [signal], labels, subject, steps);
  expect(second?.[0]?.cells).toEqual([
    { node: 'n1', arm: 'canary', numerator: 3, denominator: 10 },
    { node: 'n1', arm: 'baseline', numerator: 0, denominator: 20 },
  ]);
});
