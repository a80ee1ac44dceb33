import { expect, test } from 'vitest';
import { expectedSince, readSince } from './since.ts';

test.each([
  ['90s', 1_790_000_000 - 90],
  ['30m', 1_790_000_000 - 1800],
  ['2h', 1_790_000_000 - 7200],
  ['1789999000', 1_789_999_000],
  ['2026-09-21T13:46:40Z', 1_789_998_400],
  ['5', NaN],
  ['999999999', NaN],
  ['yesterday', NaN],
])('%s is %d', (text, unixSeconds) => {
  expect(readSince(text, 1_790_000_000)).toBe(unixSeconds);
});

test('a number without a unit is asked for one', () => {
  expect(expectedSince('5')).toMatch(/; did you mean 5m\?$/);
  expect(expectedSince('yesterday')).not.toContain('did you mean');
});
