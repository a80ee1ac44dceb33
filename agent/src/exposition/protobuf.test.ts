import fc from 'fast-check';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { bucketOfNative, nativeIndex } from '../series/native.ts';
import type { Family } from './families.ts';
import { createProtobufExposition, toSpans, type Spans } from './protobuf.ts';

// The messages of client_model that are used, as its metrics.proto has them.
const { root } = protobuf.parse(`
syntax = "proto3";
message LabelPair { string name = 1; string value = 2; }
message Gauge { double value = 1; }
message Counter { double value = 1; Timestamp created_timestamp = 3; }
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message BucketSpan { sint32 offset = 1; uint32 length = 2; }
message Histogram {
  uint64 sample_count = 1; double sample_sum = 2; sint32 schema = 5; double zero_threshold = 6;
  uint64 zero_count = 7; repeated BucketSpan positive_span = 12; repeated sint64 positive_delta = 13;
  Timestamp created_timestamp = 15;
}
message Metric { repeated LabelPair label = 1; Gauge gauge = 2; Counter counter = 3; Histogram histogram = 7; }
enum MetricType { COUNTER = 0; GAUGE = 1; SUMMARY = 2; UNTYPED = 3; HISTOGRAM = 4; }
message MetricFamily { string name = 1; string help = 2; MetricType type = 3; repeated Metric metric = 4; }
`);

const scrape = async (families: readonly Family[]): Promise<readonly unknown[]> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of createProtobufExposition(families, 'n1').scrape()) pieces.push(piece);
  const reader = protobuf.Reader.create(Buffer.concat(pieces));
  const type = root.lookupType('MetricFamily');
  const found: unknown[] = [];
  while (reader.pos < reader.len)
    found.push(type.toObject(type.decodeDelimited(reader), { longs: Number, enums: String, arrays: true }));
  return found;
};

const countsOf = (byIndex: Readonly<Record<number, number>>): Float64Array => {
  const counts = new Float64Array(512);
  for (const [index, count] of Object.entries(byIndex)) counts[bucketOfNative(Number(index))] = count;
  return counts;
};

test('families come delimited, one after the other, with node and labels on every sample', async () => {
  const labels = { app: 'café "x"' };
  const createdMs = 1_700_000_000_250;
  const families: Family[] = [
    { type: 'counter', name: 'c_total', help: 'C.', samples: () => [{ labels, value: 7, createdMs }] },
    { type: 'gauge', name: 'g', help: 'G.', samples: () => [{ labels: {}, value: NaN }] },
    {
      type: 'histogram',
      name: 'h',
      help: 'H.',
      samples: () => [{ labels, counts: countsOf({ [-24]: 3, [-23]: 5 }), sumSeconds: 1.25, createdMs }],
    },
  ];
  const node = { name: 'node', value: 'n1' };
  const app = { name: 'app', value: 'café "x"' };
  const created = { seconds: 1_700_000_000, nanos: 250_000_000 };
  // The type COUNTER is 0, and a zero is not shown.
  expect(await scrape(families)).toEqual([
    {
      name: 'c_total',
      help: 'C.',
      metric: [{ label: [node, app], counter: { value: 7, createdTimestamp: created } }],
    },
    { name: 'g', help: 'G.', type: 'GAUGE', metric: [{ label: [node], gauge: { value: NaN } }] },
    {
      name: 'h',
      help: 'H.',
      type: 'HISTOGRAM',
      metric: [
        {
          label: [node, app],
          histogram: {
            sampleCount: 8,
            sampleSum: 1.25,
            schema: 3,
            zeroThreshold: 2 ** -128,
            positiveSpan: [{ offset: -24, length: 2 }],
            positiveDelta: [3, 2],
            createdTimestamp: created,
          },
        },
      ],
    },
  ]);
});

test.each([
  ['nothing: one empty span', {}, [{ offset: 0, length: 0 }], []],
  ['one bucket', { 4: 2 }, [{ offset: 4, length: 1 }], [2]],
  ['a short gap is written as empty buckets', { 0: 2, 3: 1 }, [{ offset: 0, length: 4 }], [2, -2, 0, 1]],
  [
    'a long gap begins a new span',
    { 0: 2, 4: 1 },
    [
      { offset: 0, length: 1 },
      { offset: 3, length: 1 },
    ],
    [2, -1],
  ],
])('spans: %s', (_what, byIndex, spans, deltas) => {
  expect(toSpans(countsOf(byIndex))).toMatchObject({ spans, deltas });
});

test('read as Prometheus reads them, spans and deltas give back every count', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.integer({ min: 0, max: 511 }).map(String), fc.nat()), (byBucket) => {
      const counts = new Float64Array(512);
      for (const [bucket, count] of Object.entries(byBucket)) counts[Number(bucket)] = count;
      const read = toSpans(counts);
      expect(fromSpans(read)).toEqual(counts);
      expect(read.total).toBe(counts.reduce((total, count) => total + count, 0));
    }),
  );
});

const fromSpans = ({ spans, deltas }: Spans): Float64Array => {
  const counts = new Float64Array(512);
  let index = 0;
  let position = 0;
  let count = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let inSpan = 0; inSpan < length; inSpan++, index++) {
      count += deltas[position++] ?? NaN;
      counts[index - nativeIndex(0)] = count;
    }
  }
  expect(position).toBe(deltas.length);
  return counts;
};
