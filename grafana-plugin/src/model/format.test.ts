import { expect, test } from 'vitest';
import {
  formatCount,
  formatPoints,
  formatRelative,
  formatSeconds,
  formatValue,
  formatWait,
} from './format.ts';

test.each([
  [formatRelative(0.213), '+21.3 %'],
  [formatRelative(-0.0312), '−3.1 %'],
  [formatRelative(2.5), '+250 %'],
  [formatRelative(25.33), '×26.3'],
  [formatRelative(-0.0001), '0.0 %'],
  [formatPoints(0), '0 pp'],
  [formatPoints(0.000_043), '0 pp'],
  [formatRelative(null), '–'],
  [formatPoints(0.004), '+0.40 pp'],
  [formatPoints(-0.6), '−60 pp'],
  [formatSeconds(0.0034), '3.40 ms'],
  [formatSeconds(0.000_061), '61.0 µs'],
  [formatSeconds(12.5), '12.5 s'],
  [formatSeconds(0), '0 ms'],
  [formatCount(48_211), '48.2k'],
  [formatSeconds(0.9998), '1.00 s'],
  [formatCount(7), '7'],
  [formatCount(7.31), '7.3'],
  [formatCount(999_960), '1.00M'],
  [formatWait(7), 'about 10 s'],
  [formatWait(250), 'about 4 min'],
  [formatWait(300_000), 'about 3 days'],
  [formatValue(0.0125, 'share'), '1.3 %'],
  [formatValue(181e6, 'bytes'), '173 MiB'],
  [formatValue(NaN, 'seconds'), '–'],
])('%s', (written, expected) => {
  expect(written).toBe(expected);
});
