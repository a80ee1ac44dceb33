// In: metric families. Out: a scrape in Prometheus' protobuf format, with native histograms.
//
// Field numbers are those of io.prometheus.client (client_model, metrics.proto).
import protobuf from 'protobufjs/minimal.js';
import { setImmediate } from 'node:timers/promises';
import { filledRange, nativeIndex, schema } from '../series/native.ts';
import type { Exposition, Family, Labels, Sample } from './families.ts';

type Writer = protobuf.Writer;
type Histogram =
  Extract<Family, { type: 'histogram' }> extends { samples: () => Iterable<infer Content> } ? Content : never;

const familyField = { name: 1, help: 2, type: 3, metric: 4 };
const metricTypes = { counter: 0, gauge: 1, histogram: 4 };
const metricField = { label: 1, gauge: 2, counter: 3, histogram: 7 };
const labelField = { name: 1, value: 2 };
const numberField = { value: 1, counterCreated: 3 };
const histogramField = {
  sampleCount: 1,
  sampleSum: 2,
  schema: 5,
  zeroThreshold: 6,
  zeroCount: 7,
  positiveSpan: 12,
  positiveDelta: 13,
  created: 15,
};
const spanField = { offset: 1, length: 2 };
const timestampField = { seconds: 1, nanos: 2 };

/** The threshold that Prometheus' own clients take: below it a duration counts as zero. */
const zeroThreshold = 2 ** -128;
/** So many empty buckets are cheaper written than spanned. */
const longestGap = 2;

/** Encoded at once, in about 2 ms: the event loop is never blocked for longer. */
const samplesAtOnce = 128;

/** Delimited MetricFamily messages, with `node` on every sample; histograms are native and have no classic buckets. */
export const createProtobufExposition = (families: readonly Family[], node: string): Exposition => {
  const encodeLabels = createLabelEncoder({ node });
  return {
    contentType:
      'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
    scrape: async function* () {
      for (const family of families) yield* encodeFamily(family, encodeLabels);
    },
  };
};

/** The length comes first: all pieces of a family are there before the first is sent. */
async function* encodeFamily(
  family: Family,
  encodeLabels: (labels: Labels) => Uint8Array,
): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let writer = protobuf.Writer.create();
  writer.uint32(bytes(familyField.name)).string(family.name);
  writer.uint32(bytes(familyField.help)).string(family.help);
  writer.uint32(varint(familyField.type)).int32(metricTypes[family.type]);
  let samples = 0;
  for (const sample of family.samples()) {
    writer.uint32(bytes(familyField.metric)).fork().raw(encodeLabels(sample.labels));
    if ('counts' in sample) encodeHistogram(writer, sample);
    else encodeNumber(writer, family.type === 'counter' ? 'counter' : 'gauge', sample);
    writer.ldelim();
    if (++samples % samplesAtOnce > 0) continue;
    pieces.push(writer.finish());
    writer = protobuf.Writer.create();
    await setImmediate();
  }
  pieces.push(writer.finish());
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  yield protobuf.Writer.create().uint32(length).finish();
  yield* pieces;
  await setImmediate();
}

/** Returns the labels as fields of a metric. Those of a series stay the same: they are encoded once. */
const createLabelEncoder = (common: Labels): ((labels: Labels) => Uint8Array) => {
  const encoded = new WeakMap<Labels, Uint8Array>();
  return (labels) => {
    const known = encoded.get(labels);
    if (known !== undefined) return known;
    const writer = protobuf.Writer.create();
    for (const [name, value] of [...Object.entries(common), ...Object.entries(labels)]) {
      writer.uint32(bytes(metricField.label)).fork();
      writer.uint32(bytes(labelField.name)).string(name);
      writer.uint32(bytes(labelField.value)).string(value).ldelim();
    }
    const fields = writer.finish();
    encoded.set(labels, fields);
    return fields;
  };
};

const encodeNumber = (writer: Writer, type: 'counter' | 'gauge', { value, createdMs }: Sample): void => {
  writer.uint32(bytes(metricField[type])).fork();
  writer.uint32(double(numberField.value)).double(value);
  if (type === 'counter' && createdMs !== undefined)
    encodeTimestamp(writer, numberField.counterCreated, createdMs);
  writer.ldelim();
};

const encodeHistogram = (writer: Writer, { counts, sumSeconds, createdMs }: Histogram): void => {
  const { spans, deltas, total } = toSpans(counts);
  writer.uint32(bytes(metricField.histogram)).fork();
  writer.uint32(varint(histogramField.sampleCount)).uint64(total);
  writer.uint32(double(histogramField.sampleSum)).double(sumSeconds);
  writer.uint32(varint(histogramField.schema)).sint32(schema);
  writer.uint32(double(histogramField.zeroThreshold)).double(zeroThreshold);
  writer.uint32(varint(histogramField.zeroCount)).uint32(0);
  for (const { offset, length } of spans) {
    writer.uint32(bytes(histogramField.positiveSpan)).fork();
    writer.uint32(varint(spanField.offset)).sint32(offset);
    writer.uint32(varint(spanField.length)).uint32(length).ldelim();
  }
  writer.uint32(bytes(histogramField.positiveDelta)).fork();
  // The same bytes, without the object that a long number takes on its way.
  for (const delta of deltas)
    if (delta === (delta | 0)) writer.sint32(delta);
    else writer.sint64(delta);
  writer.ldelim();
  encodeTimestamp(writer, histogramField.created, createdMs);
  writer.ldelim();
};

const encodeTimestamp = (writer: Writer, field: number, unixMs: number): void => {
  writer.uint32(bytes(field)).fork();
  writer.uint32(varint(timestampField.seconds)).int64(Math.floor(unixMs / 1000));
  writer
    .uint32(varint(timestampField.nanos))
    .int32(Math.floor(unixMs % 1000) * 1_000_000)
    .ldelim();
};

export interface Spans {
  /** Each begins `offset` buckets after the end of the one before; the first, at that index. */
  readonly spans: readonly { readonly offset: number; readonly length: number }[];
  /** Count of each bucket in the spans, less that of the one before. */
  readonly deltas: readonly number[];
  readonly total: number;
}

/** Counts by kernel bucket as a native histogram has them. Without any, one empty span says that it is native. */
export const toSpans = (counts: Float64Array): Spans => {
  let span = { offset: 0, length: 0 };
  const spans = [span];
  const deltas: number[] = [];
  const [first, filledEnd] = filledRange(counts);
  let total = 0;
  let before = 0;
  let end = first;
  if (filledEnd > 0) span.offset = nativeIndex(first);
  for (let bucket = first; bucket < filledEnd; bucket++) {
    const count = counts[bucket] ?? 0;
    if (count === 0) continue;
    if (bucket - end > longestGap) {
      span = { offset: bucket - end, length: 0 };
      spans.push(span);
      end = bucket;
    }
    for (; end < bucket; end++, span.length++) {
      deltas.push(0 - before);
      before = 0;
    }
    deltas.push(count - before);
    before = count;
    end = bucket + 1;
    span.length++;
    total += count;
  }
  return { spans, deltas, total };
};

/** Keys of fields by wire type. */
const varint = (field: number) => field << 3;
const double = (field: number) => (field << 3) | 1;
const bytes = (field: number) => (field << 3) | 2;
