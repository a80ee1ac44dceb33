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

test('on a narrow terminal app and version are shortened by their middles, and numbers are whole', () => {
  const long = { ...row, namespace: 'production', version: 'checkout-7d9f8b6c5d' };
  const [header, line] = renderTable([long], { width: 80, height: 24 }).split('\n');
  expect(header).toHaveLength(80);
  expect(line).toMatch(/^produc…eckout checko…8b6c5d {5}2000 .* 25\.4%$/);
});

test('a short one leaves what it does not need to the other', () => {
  const long = { ...row, version: 'checkout-7d9f8b6c5d' };
  expect(renderTable([{ ...long, namespace: 'a', app: 'a' }], { width: 80, height: 24 })).toMatch(/^a .*ch/m);
});

test('on a low terminal the busiest are shown, in their order, and the others are counted', () => {
  const rows = [5, 90, 7, 80].map((requests, index) => ({ ...row, version: `v${index}`, requests }));
  const lines = renderTable(rows, { width: 200, height: 4 }).split('\n');
  expect(lines.map((line) => / (v\d) /.exec(line)?.[1] ?? line)).toEqual([
    expect.stringContaining('APP'),
    'v1',
    'v3',
    'and 2 with fewer requests',
    '',
  ]);
  expect(renderTable(rows, { width: 200, height: 5 }).split('\n')).toHaveLength(6);
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
