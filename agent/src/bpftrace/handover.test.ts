import { expect, test } from 'vitest';
import { goOn, meet } from './handover.ts';
import type { Maps } from './run.ts';

type Counts = Readonly<Record<string, number>>;

const mapsOf = (counts: Counts): Maps => new Map([['@http_requests', new Map(Object.entries(counts))]]);
/** Gives one reading after the other, and the last for ever. */
const readings = (counts: readonly Counts[]) => {
  let position = 0;
  return () => Promise.resolve(mapsOf(counts[Math.min(position++, counts.length - 1)] ?? {}));
};
/** What comes of such readings: what the new run's 0 stands for, in the count of the old one. */
const meetWithin = async (
  rounds: number,
  old: readonly Counts[],
  fresh: readonly Counts[],
  capacity = 1024,
) => {
  let ms = 0;
  const { leads, ...quality } = await meet(
    readings(old),
    readings(fresh),
    capacity,
    () => (ms += 10_000 / rounds),
  );
  const zero = mapsOf(Object.fromEntries(Object.keys(fresh[0] ?? {}).map((key) => [key, 0])));
  return { ...quality, lead: Object.fromEntries(goOn(zero, leads).get('@http_requests') ?? []) };
};

test('a quiet moment tells at once how far the old run is ahead', async () => {
  const { rounds, doubtfulEvents, lead } = await meetWithin(10, [{ a: 100, b: 7 }], [{ a: 30, b: 7 }]);
  expect({ rounds, doubtfulEvents, lead }).toEqual({ rounds: 1, doubtfulEvents: 0, lead: { a: 70, b: 0 } });
});

test('without one, each value finds a moment of its own', async () => {
  const old = [{ a: 100, b: 60 }, { a: 110, b: 71 }, { a: 120, b: 74 }]; // prettier-ignore
  const fresh = [{ a: 30, b: 5 }, { a: 33, b: 10 }, { a: 40, b: 24 }, { a: 60, b: 30 }]; // prettier-ignore
  const { rounds, doubtfulEvents, lead } = await meetWithin(10, old, fresh);
  expect({ rounds, doubtfulEvents, lead }).toEqual({ rounds: 3, doubtfulEvents: 0, lead: { a: 70, b: 50 } });
});

test('what cannot be settled in time is in the middle of what it can be', async () => {
  const { doubtfulEvents, lead } = await meetWithin(1, [{ a: 100 }], [{ a: 30 }, { a: 40 }]);
  expect({ doubtfulEvents, lead }).toEqual({ doubtfulEvents: 5, lead: { a: 65 } });
});

test('what began before the new run was there, and ends meanwhile, is the old one’s', async () => {
  const old = [{ a: 100, b: 1 }, { a: 101, b: 2 }, { a: 101, b: 2 }]; // prettier-ignore
  const fresh = [{ a: 30, b: 1 }, { a: 30, b: 3 }, { a: 30, b: 2 }, { a: 30, b: 2 }]; // prettier-ignore
  expect((await meetWithin(10, old, fresh)).lead.a).toBe(71);
});

test('what did not fit into the old map is the new one’s', async () => {
  expect((await meetWithin(10, [{ a: 100 }], [{ a: 30, c: 4 }], 1)).lead).toEqual({ a: 70, c: 0 });
});

test('a request that the two have put into neighbouring buckets counts once', async () => {
  const { lead, doubtfulEvents } = await meetWithin(10, [{ a: 100, b: 1 }], [{ a: 30, c: 1 }]);
  expect({ lead, doubtfulEvents }).toEqual({ lead: { a: 70, c: -1 }, doubtfulEvents: 0 });
});
