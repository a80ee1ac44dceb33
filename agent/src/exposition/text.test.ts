import { expect, test } from 'vitest';
import { classicBoundsSeconds } from '../series/native.ts';
import type { Exposition, Family } from './families.ts';
import { createOpenMetricsExposition, createTextExposition } from './text.ts';

const families: readonly Family[] = [
  {
    type: 'counter',
    name: 'c_total',
    help: 'A line\nand a \\.',
    samples: () => [{ labels: { app: 'a"b\\c\nd', version: 'café' }, value: 0.5 }],
  },
  {
    type: 'gauge',
    name: 'g',
    help: 'G.',
    samples: () => [NaN, Infinity, -Infinity].map((value) => ({ labels: {}, value })),
  },
];

const read = async ({ scrape }: Exposition): Promise<string> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of scrape()) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
};

test('text 0.0.4: labels escaped, UTF-8 whole, NaN and infinities spelled as Prometheus reads them', async () => {
  expect(await read(createTextExposition(families, 'n1'))).toBe(`# HELP c_total A line\\nand a \\\\.
# TYPE c_total counter
c_total{node="n1",app="a\\"b\\\\c\\nd",version="café"} 0.5
# HELP g G.
# TYPE g gauge
g{node="n1"} NaN
g{node="n1"} +Inf
g{node="n1"} -Inf
`);
});

test('OpenMetrics: a counter is named without _total, its samples with it, and there is an end', async () => {
  const text = await read(createOpenMetricsExposition(families.slice(0, 1), 'n1'));
  expect(text).toMatch(/^# TYPE c counter\nc_total\{.*\} 0.5\n# EOF\n$/m);
});

test('a quote in a help is escaped in OpenMetrics, whose readers expect it, and not in text 0.0.4', async () => {
  const quoting: Family = { type: 'gauge', name: 'g', help: 'Of app="unknown" \\.', samples: () => [] };
  expect(await read(createOpenMetricsExposition([quoting], 'n1'))).toContain(
    '# HELP g Of app=\\"unknown\\" \\\\.\n',
  );
  expect(await read(createTextExposition([quoting]))).toContain('# HELP g Of app="unknown" \\\\.\n');
});

test('a histogram has cumulative buckets, the total at +Inf, sum and count', async () => {
  const counts = new Float64Array(512);
  counts[134] = 3; // 103 to 112 us
  counts[500] = 1; // far beyond the last bound
  const sample = { labels: { app: 'a' }, counts, sumSeconds: 2.5, createdMs: 0 };
  const histogram: Family = { type: 'histogram', name: 'h', help: 'H.', samples: () => [sample] };
  const lines = (await read(createTextExposition([histogram], 'n1'))).split('\n').slice(2, -1);
  const expected = classicBoundsSeconds.map(
    (bound) => `h_bucket{node="n1",app="a",le="${bound}"} ${bound > 1.1e-4 ? 3 : 0}`,
  );
  expect(lines).toEqual([
    ...expected,
    'h_bucket{node="n1",app="a",le="+Inf"} 4',
    'h_sum{node="n1",app="a"} 2.5',
    'h_count{node="n1",app="a"} 4',
  ]);
});

test('a large scrape comes in pieces, and whole', async () => {
  const samples = Array.from({ length: 10_000 }, (_, index) => ({
    labels: { i: String(index) },
    value: index,
  }));
  const exposition = createTextExposition(
    [{ type: 'counter', name: 'many_total', help: 'M.', samples: () => samples }],
    'n1',
  );
  let pieces = 0;
  for await (const piece of exposition.scrape()) pieces += piece.length > 0 ? 1 : 0;
  expect(pieces).toBeGreaterThan(1);
  expect((await read(exposition)).split('\n').filter((line) => line.startsWith('many_total{'))).toHaveLength(
    10_000,
  );
});
