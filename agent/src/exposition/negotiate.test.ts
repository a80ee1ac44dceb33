import { expect, test } from 'vitest';
import { wantsOpenMetrics } from './negotiate.ts';

const prometheus2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

test.each([
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['text/plain', false],
  ['text/html,application/xhtml+xml,*/*;q=0.8', false],
  [prometheus2, true],
  ['application/openmetrics-text', true],
  ['application/openmetrics-text;q=0.2, text/plain;q=0.9', false],
  ['application/openmetrics-text;version=2.0.0', false],
  ['application/openmetrics-text;q=0', false],
  ['application/openmetrics-text;q=banana', false],
])('Accept: %s → OpenMetrics %s', (accept, expected) => {
  expect(wantsOpenMetrics(accept)).toBe(expected);
});
