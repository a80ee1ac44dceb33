import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isoTime } from './time.ts';

test('agrees with the platform on every second of four centuries', () => {
  fc.assert(
    fc.property(fc.integer({ min: -3e9, max: 1e10 }), (seconds) => {
      expect(isoTime(seconds)).toBe(new Date(seconds * 1000).toISOString().replace('.000', ''));
    }),
  );
});
