import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkInput, createJudge, judge, VerdictInputError } from './index.ts';
import type { VerdictInput } from './index.ts';

const good = {
  app: 'checkout',
  canary: 'v2',
  baseline: 'v1',
  buckets: { schema: 3 },
  windowSeconds: 30,
  now: 1_790_003_600,
  windows: [
    { end: 1_790_000_030, cells: [] },
    {
      end: 1_790_000_060,
      cells: [
        {
          node: 'n1',
          arm: 'canary',
          requests: 21,
          errors: 2,
          durations: { offset: -56, counts: [0, 3, 18] },
          netDurations: { offset: -56, counts: [0, 5, 16] },
          schedDelaySeconds: 0.8,
          contention: { runqueueP95Seconds: 0.0001, throttledShare: 0, cpuPressureShare: 0.02 },
        },
      ],
      signals: [
        {
          name: 'orders',
          kind: 'ratio',
          better: 'higher',
          cells: [{ node: 'n1', arm: 'canary', numerator: 310, denominator: 1500 }],
        },
      ],
    },
  ],
};

/** The good input with one value put in at a place such as `windows[1].end`. */
function spoiled(place: string, value: unknown): unknown {
  const copy: unknown = structuredClone(good);
  const keys = place.split(/[.[\]]+/).filter((key) => key !== '');
  const last = keys.pop() ?? '';
  const parent = keys.reduce((at, key) => (at as Record<string, unknown>)[key], copy);
  (parent as Record<string, unknown>)[last] = value;
  return copy;
}

function placeOf(value: unknown): string {
  try {
    checkInput(value);
  } catch (error) {
    if (error instanceof VerdictInputError) {
      expect(error.message).toContain(error.place);
      return error.place;
    }
    throw error;
  }
  return '';
}

test('the example of the documentation is right', () => {
  expect(checkInput(good)).toBe(good);
});

test.each([
  ['app', 7],
  ['canary', ''],
  ['now', NaN],
  ['now', '1790003600'],
  ['windowSeconds', 0],
  ['windows', {}],
  ['buckets', undefined],
  ['buckets.schema', 9],
  ['buckets.schema', -5],
  ['buckets.schema', 2.5],
  ['windows[1]', null],
  ['windows[1].end', Infinity],
  ['windows[1].end', 1_790_000_030],
  ['windows[1].end', 1_790_000_000],
  ['windows[1].cells', 'none'],
  ['windows[1].cells[0].node', 1],
  ['windows[1].cells[0].arm', 'blue'],
  ['windows[1].cells[0].arm', 'other:'],
  ['windows[1].cells[0].requests', -1],
  ['windows[1].cells[0].requests', 1.5],
  ['windows[1].cells[0].errors', 22],
  ['windows[1].cells[0].errors', null],
  ['windows[1].cells[0].durations.offset', 0.5],
  ['windows[1].cells[0].durations.offset', 1e9],
  ['windows[1].cells[0].durations.counts', '12'],
  ['windows[1].cells[0].durations.counts[2]', -3],
  ['windows[1].cells[0].durations.counts[1]', NaN],
  ['windows[1].cells[0].netDurations.counts[0]', 0.1],
  ['windows[1].cells[0].schedDelaySeconds', -1],
  ['windows[1].cells[0].contention', []],
  ['windows[1].cells[0].contention.throttledShare', NaN],
  ['windows[1].signals[0].kind', 'sum'],
  ['windows[1].signals[0].better', 'bigger'],
  ['windows[1].signals[0].cells[0].numerator', 0.5],
  ['windows[1].signals[0].cells[0].arm', 'other:x'],
])('%s = %j is refused by its place', (place, value) => {
  expect(placeOf(spoiled(place, value))).toBe(place);
});

test('a window later than now lies in the future', () => {
  expect(placeOf({ ...good, now: 1_790_000_040 })).toBe('windows[1].end');
});

test('two cells of one node and arm are one too many', () => {
  const cell = good.windows[1]?.cells[0];
  expect(placeOf(spoiled('windows[1].cells[1]', cell))).toBe('windows[1].cells[1]');
});

test('classic bounds have to rise', () => {
  expect(placeOf({ ...good, buckets: { upperBounds: [0.1, 0.1] } })).toBe('buckets.upperBounds[1]');
  expect(placeOf({ ...good, buckets: { upperBounds: [] } })).toBe('buckets.upperBounds');
});

test('a signal may not change its kind on the way', () => {
  const subject = { ...good, windows: undefined };
  const growing = createJudge(subject);
  const signal = { name: 'orders', kind: 'ratio', better: 'higher', cells: [] } as const;
  growing.push({ end: 1, cells: [], signals: [signal] });
  const before = growing.verdict();
  expect(() => {
    growing.push({ end: 2, cells: [], signals: [{ ...signal, kind: 'mean' }] });
  }).toThrow('window.signals[0].kind');
  expect(growing.verdict()).toEqual(before);
});

test('an option out of range is refused by its name', () => {
  expect(() => judge(good as unknown as VerdictInput, { alpha: 2 })).toThrow(RangeError);
  expect(() => judge(good as unknown as VerdictInput, { alpha: NaN })).toThrow('alpha');
});

describe('whatever comes in', () => {
  test('nothing but a VerdictInputError is thrown', () => {
    const place = fc.constantFrom(
      'windows',
      'windows[0]',
      'windows[1].cells',
      'windows[1].cells[0]',
      'windows[1].cells[0].durations',
      'windows[1].cells[0].durations.counts',
      'windows[1].signals[0].cells[0]',
      'buckets',
    );
    fc.assert(
      fc.property(place, fc.anything({ withBigInt: true, withSparseArray: true }), (at, value) => {
        try {
          judge(spoiled(at, value) as VerdictInput);
        } catch (error) {
          expect(error).toBeInstanceOf(VerdictInputError);
        }
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.anything({ withBigInt: true }), (value) => {
        expect(() => judge(value as VerdictInput)).toThrow(VerdictInputError);
      }),
    );
  });

  test('no fail comes from emptiness, and every number in a verdict is finite', () => {
    const counts = fc.oneof(
      fc.constant([]),
      fc.constant([0, 0, 0]),
      fc.array(fc.nat(3), { maxLength: 4 }),
      fc.constant([1_000_000]),
    );
    const cell = fc.record({
      node: fc.constantFrom('n1', 'n2'),
      arm: fc.constantFrom('canary', 'baseline', 'other:a'),
      requests: fc.constantFrom(0, 5, 100_000),
      errors: fc.constant(0),
      durations: fc.option(fc.record({ offset: fc.constant(-10), counts }), { nil: undefined }),
      netDurations: fc.option(fc.record({ offset: fc.constant(-12), counts }), { nil: undefined }),
    });
    const run = fc.array(fc.uniqueArray(cell, { maxLength: 6, selector: ({ node, arm }) => node + arm }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(
        run,
        fc.constantFrom({ schema: 3 }, { schema: -4 }, { upperBounds: [0.5, 1] }),
        (rows, buckets) => {
          const windows = rows.map((cells, i) => ({
            end: 1_790_000_000 + 30 * i,
            // One arm has no durations at all: nothing about latency can be known.
            cells: cells.map(({ durations, netDurations, ...rest }) =>
              rest.arm === 'canary' || !durations
                ? rest
                : {
                    ...rest,
                    durations: inside(durations, buckets),
                    ...(netDurations && { netDurations: inside(netDurations, buckets) }),
                  },
            ),
          }));
          const verdict = judge({ ...good, buckets, windows });
          expect(verdict.verdict).not.toBe('fail');
          expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** Classic buckets start at 0, and three counts fit two bounds; schema −4 has no buckets beyond ±4. */
function inside(
  counts: { readonly offset: number; readonly counts: readonly number[] },
  buckets: object,
): typeof counts {
  return 'schema' in buckets ? { ...counts, offset: 0 } : { offset: 0, counts: counts.counts.slice(0, 3) };
}
