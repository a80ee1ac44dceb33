import { expect, test } from 'vitest';
import { formatSeconds, renderTable } from './table.ts';

const row = {
  namespace: 'demo',
  app: 'checkout',
  version: 'v1',
  requests: 2000,
  requestsPerSecond: 200,
  errors: 10,
  p50Seconds: 0.000_964,
  p99Seconds: 0.003_62,
  netP50Seconds: 0.000_9,
  netP99Seconds: 0.001,
  schedDelayShare: 0.254,
};

test('columns are aligned, texts to the left and numbers to the right', () => {
  const none = { ...row, version: 'v2', requests: 0, p99Seconds: NaN, requestsPerSecond: NaN };
  expect(renderTable([row, none])).toBe(
    [
      'APP            VERSION  REQUESTS  RATE/s  ERRORS    P50     P99  NET P99  CPU WAIT',
      'demo/checkout  v1           2000   200.0    0.5%  964us  3.62ms   1.00ms     25.4%',
      'demo/checkout  v2              0       -       -  964us       -   1.00ms         -',
      '',
    ].join('\n'),
  );
});

test('without rows it says what is missing', () => {
  expect(renderTable([])).toMatch(/No HTTP request seen yet/);
});

test.each([
  [0.000_096_44, '96.4us'],
  [0.012_34, '12.3ms'],
  [0.3, '300ms'],
  [1.2, '1.20s'],
  [120, '120s'],
  [NaN, '-'],
])('%s s is written %s', (seconds, expected) => {
  expect(formatSeconds(seconds)).toBe(expected);
});
