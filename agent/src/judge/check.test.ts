import { expect, test } from 'vitest';
import { checkQueries } from './check.ts';
import type { Prometheus } from './prometheus.ts';

const labels = { namespace: 'namespace', app: 'app', version: 'version', node: 'node' };
const signal = {
  name: 'orders',
  kind: 'ratio',
  better: 'higher',
  numerator: 'done{app="$app", namespace="$namespace"}',
  denominator: 'begun{app="$app", namespace="$namespace"}',
} as const;

test('the queries that are checked are those of the app and namespace at hand', async () => {
  const asked: string[] = [];
  const query = (promql: string) => {
    asked.push(promql);
    return Promise.resolve([{ metric: { version: 'v1', node: 'n1' } }]);
  };
  const prometheus = { query } as Partial<Prometheus> as Prometheus;
  await checkQueries(prometheus, { app: 'checkout', namespace: 'shop' }, labels, [signal], 30);
  expect(asked).toEqual(
    expect.arrayContaining([
      expect.stringContaining('_count{namespace="shop", app="checkout"}'),
      expect.stringContaining('_count{namespace="shop", app="checkout", code=~'),
      'done{app="checkout", namespace="shop"}',
      'begun{app="checkout", namespace="shop"}',
    ]),
  );
});
