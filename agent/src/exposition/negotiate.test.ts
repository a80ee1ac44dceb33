import { expect, test } from 'vitest';
import { negotiate, takesGzip } from './negotiate.ts';

const openMetrics =
  'application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const protobuf = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';

test.each([
  [undefined, 'text'],
  ['', 'text'],
  ['*/*', 'text'],
  ['text/plain', 'text'],
  ['text/html,application/xhtml+xml,*/*;q=0.8', 'text'],
  [openMetrics, 'openMetrics'],
  ['application/openmetrics-text', 'openMetrics'],
  ['application/openmetrics-text;q=0.2, text/plain;q=0.9', 'text'],
  ['application/openmetrics-text;version=2.0.0', 'text'],
  ['application/openmetrics-text;q=0', 'text'],
  ['application/openmetrics-text;q=banana', 'text'],
  [`${protobuf},${openMetrics}`, 'protobuf'],
  [`${protobuf};q=0.4,${openMetrics}`, 'openMetrics'],
  [protobuf.replace('=delimited', '="delimited"'), 'protobuf'],
  [protobuf.replace('delimited', 'text'), 'text'],
  [protobuf.replace('MetricFamily', 'Metric'), 'text'],
])('Accept: %s → %s', (accept, expected) => {
  expect(negotiate(accept)).toBe(expected);
});

test.each([
  [undefined, false],
  ['', false],
  ['identity', false],
  ['gzip', true],
  ['gzip, deflate, br', true],
  ['deflate, GZIP;q=0.5', true],
  ['gzip;q=0', false],
  ['notgzip', false],
])('Accept-Encoding: %s → %s', (acceptEncoding, expected) => {
  expect(takesGzip(acceptEncoding)).toBe(expected);
});
