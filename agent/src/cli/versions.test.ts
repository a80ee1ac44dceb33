import { expect, test } from 'vitest';
import type { JsonHistogram, JsonSeries } from '../series/json.ts';
import { versionRows } from './versions.ts';

const labels = (version: string, code: string) => ({
  namespace: 'demo',
  app: 'checkout',
  version,
  protocol: 'http1',
  code,
});
const histogram = (
  version: string,
  code: string,
  offset: number,
  counts: number[],
  sumSeconds = 0,
): JsonHistogram => ({
  labels: labels(version, code),
  offset,
  counts,
  sumSeconds,
});
const series = (
  unixMs: number,
  durations: readonly JsonHistogram[],
  netDurations: readonly JsonHistogram[] = [],
  delay: readonly (readonly [string, number])[] = [],
): JsonSeries => ({
  unixMs,
  histograms: {
    plumbline_http_request_duration_seconds: durations,
    plumbline_http_request_net_duration_seconds: netDurations,
  },
  counters: {
    plumbline_http_request_sched_delay_seconds_total: delay.map(([version, value]) => ({
      labels: labels(version, '2xx'),
      value,
    })),
  },
});

test('a row is what came between two readings', () => {
  const from = series(0, [histogram('v1', '2xx', -56, [10, 0, 5], 1)], [], [['v1', 0.5]]);
  const to = series(
    10_000,
    [histogram('v1', '2xx', -57, [1, 10, 100, 5], 11), histogram('v1', '5xx', -50, [2], 1)],
    [histogram('v1', '2xx', -57, [101], 6)],
    [['v1', 5.5]],
  );
  const [row] = versionRows(from, to);
  expect(row).toMatchObject({ version: 'v1', requests: 103, requestsPerSecond: 10.3, errors: 2 });
  expect(row?.schedDelayShare).toBeCloseTo(5 / 11);
  expect(row?.p50Seconds).toBeGreaterThan(2 ** (-56 / 8));
  expect(row?.p50Seconds).toBeLessThan(2 ** (-55 / 8));
  expect(row?.netP99Seconds).toBeLessThan(2 ** (-57 / 8));
});

test('the first reading counts from the start of the agent and has no rate', () => {
  const [row] = versionRows(undefined, series(0, [histogram('v1', '2xx', -56, [10])]));
  expect(row).toMatchObject({ requests: 10, requestsPerSecond: NaN, schedDelayShare: 0 });
});

test('an agent that started again counts from nothing', () => {
  const [row] = versionRows(
    series(0, [histogram('v1', '2xx', -56, [1000])]),
    series(1000, [histogram('v1', '2xx', -56, [7])]),
  );
  expect(row?.requests).toBe(7);
});

test('versions are sorted, and one without requests in between is there', () => {
  const from = series(0, [histogram('v2', '2xx', 0, [5])]);
  const rows = versionRows(
    from,
    series(1000, [histogram('v2', '2xx', 0, [5]), histogram('v1', '2xx', 0, [1])]),
  );
  expect(rows.map(({ version, requests }) => [version, requests])).toEqual([
    ['v1', 1],
    ['v2', 0],
  ]);
});

test('a gRPC call that failed is an error, though its answer is 200', () => {
  const to = series(1000, [histogram('v1', '2xx', -56, [3]), histogram('v1', 'grpc_error', -56, [5])]);
  expect(versionRows(undefined, to)).toMatchObject([{ requests: 8, errors: 5 }]);
});
