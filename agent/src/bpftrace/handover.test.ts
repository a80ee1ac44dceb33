import { describe, expect, test } from 'vitest';
import { goOn, meet } from './handover.ts';
import type { Maps } from './run.ts';

type Counts = Readonly<Record<string, number>>;

const inOneMap = (counts: Counts): Maps => new Map([['@http_unmatched', new Map(Object.entries(counts))]]);
/** Gives one reading after the other, and the last for ever. */
const readings = (maps: readonly Maps[]) => {
  let position = 0;
  return () => Promise.resolve(maps[Math.min(position++, maps.length - 1)] ?? new Map());
};
/** What comes of such readings: what the new run's 0 stands for, in the count of the old one. */
const meetWithin = async (
  rounds: number,
  old: readonly Counts[],
  fresh: readonly Counts[],
  capacity = 1024,
) => {
  let ms = 0;
  const { leads, doubtfulEvents, ...meeting } = await meet(
    readings(old.map(inOneMap)),
    readings(fresh.map(inOneMap)),
    { capacity, levels: [], histograms: [] },
    () => (ms += 10_000 / rounds),
  );
  const zero = inOneMap(Object.fromEntries(Object.keys(fresh[0] ?? {}).map((key) => [key, 0])));
  const lead = Object.fromEntries(goOn(zero, leads).get('@http_unmatched') ?? []);
  return { rounds: meeting.rounds, doubtfulEvents, lead };
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

/** Of one cgroup's histograms, by bucket. */
interface Buckets {
  readonly requests: Counts;
  readonly delayed?: Counts;
  readonly delayedNet?: Counts;
}

const inBuckets = ({ requests, delayed = {}, delayedNet = {} }: Buckets): Maps => {
  const byKey = (counts: Counts) =>
    new Map(Object.entries(counts).map(([bucket, count]) => [`4242,2,${bucket}`, count]));
  return new Map([
    ['@http_requests', byKey(requests)],
    ['@http_delayed', byKey(delayed)],
    ['@http_delayed_net', byKey(delayedNet)],
  ]);
};
const duration = ['@http_requests', '@http_delayed'];
const netDuration = ['@http_requests', '@http_delayed_net'];

/** What the two come to together: requests, by either histogram. */
const meetBuckets = async (rounds: number, old: readonly Buckets[], fresh: readonly Buckets[]) => {
  let ms = 0;
  const { leads, last, next, doubtfulEvents } = await meet(
    readings(old.map(inBuckets)),
    readings(fresh.map(inBuckets)),
    { capacity: 1024, levels: [], histograms: [duration, netDuration] },
    () => (ms += 10_000 / rounds),
  );
  const continued = goOn(next, leads);
  const countOf = (map: string) =>
    [...new Map([...(last.get(map) ?? []), ...(continued.get(map) ?? [])]).values()].reduce(
      (sum, count) => sum + count,
      0,
    );
  const count = (maps: readonly string[]) => maps.map(countOf).reduce((sum, one) => sum + one);
  return { doubtfulEvents, requests: count(duration), net: count(netDuration) };
};

test('a request that the two have put into neighbouring buckets counts once', async () => {
  const old = [{ requests: { 134: 100, 135: 1 } }];
  const fresh = [{ requests: { 134: 30, 136: 1 } }];
  expect(await meetBuckets(10, old, fresh)).toEqual({ doubtfulEvents: 0, requests: 101, net: 101 });
});

test('it does so too when buckets get ahead of each other while the two meet', async () => {
  const old = [{ requests: { 134: 100, 135: 50 } }, { requests: { 134: 103, 135: 55 } }];
  const fresh = [
    { 134: 0, 135: 0 },
    { 134: 0, 135: 2 },
    { 134: 4, 135: 4 },
  ].map((requests) => ({ requests }));
  expect(await meetBuckets(10, old, fresh)).toEqual({ doubtfulEvents: 0, requests: 158, net: 158 });
});

test('a request that was delayed for the one, and not for the other, counts once', async () => {
  const old = [{ requests: { 134: 100 }, delayed: { 175: 1 }, delayedNet: { 134: 1 } }];
  const fresh = [{ requests: { 134: 30, 175: 1 } }];
  expect(await meetBuckets(10, old, fresh)).toEqual({ doubtfulEvents: 0, requests: 101, net: 101 });
});

test('what comes only at the end is no doubt: both have counted it from its first event on', async () => {
  const { lead, doubtfulEvents } = await meetWithin(1, [{ a: 100 }], [{ a: 30 }, { a: 30, b: 1 }]);
  expect({ lead, doubtfulEvents }).toEqual({ lead: { a: 70 }, doubtfulEvents: 0 });
});

test('of a level that tells no unmatched ends, nothing is taken over; what is forgotten is told', async () => {
  const { leads, forgotten } = await meet(readings([inOneMap({ a: 3 })]), readings([inOneMap({ a: 1 })]), {
    capacity: 1024,
    levels: [{ map: '@http_unmatched' }],
    histograms: [],
  });
  expect(goOn(inOneMap({ a: 1 }), leads)).toEqual(inOneMap({ a: 1 }));
  expect(forgotten).toBe(2);
});

describe('a level', () => {
  const levels = [{ map: '@active', unmatched: '@unmatched' }];
  const open = (active: Counts, unmatched: Counts = {}): Maps =>
    new Map([
      ['@active', new Map(Object.entries(active))],
      ['@unmatched', new Map(Object.entries(unmatched))],
    ]);
  const meetLevels = (old: readonly Maps[], fresh: readonly Maps[]) =>
    meet(readings(old), readings(fresh), { capacity: 1024, levels, histograms: [] });
  const active = (maps: Maps) => Object.fromEntries(maps.get('@active') ?? []);

  test('keeps what was open before, also where nothing new has come, until its unmatched ends come', async () => {
    const { leads, forgotten } = await meetLevels([open({ a: 10, b: 4 })], [open({ a: 2 }, { a: 1 })]);
    expect(forgotten).toBe(0);
    expect(active(goOn(open({ a: 2 }, { a: 1 }), leads))).toEqual({ a: 10, b: 4 });
    expect(active(goOn(open({ a: 3 }, { a: 6, b: 4 }), leads))).toEqual({ a: 6 });
  });

  test('does not fall below what is open by ends of what neither has seen begin', async () => {
    const { leads } = await meetLevels([open({ a: 10 })], [open({ a: 2 })]);
    expect(active(goOn(open({ a: 5 }, { a: 100 }), leads))).toEqual({ a: 5 });
  });

  test('goes on over a second handover', async () => {
    const first = await meetLevels([open({ a: 10 })], [open({ a: 2 })]);
    const old = goOn(open({ a: 3 }, { a: 1 }), first.leads);
    const { leads } = await meetLevels([old], [open({}, { a: 2 })]);
    expect(active(goOn(open({ a: 1 }, { a: 5 }), leads))).toEqual({ a: 8 });
  });

  test('is taken from a round in which nothing came in between', async () => {
    const moving = [open({ a: 1 }), open({ a: 2 }), open({ a: 2 }), open({ a: 3 })];
    const counting = moving.map((maps, round) => new Map([...maps, ['@n', new Map([['k', round]])]]));
    const old = [10, 11, 11].map(
      (a, round) => new Map([...open({ a }), ['@n', new Map([['k', round + 5.5]])]]),
    );
    let ms = 0;
    const { leads, rounds } = await meet(
      readings(old),
      readings(counting),
      { capacity: 1024, levels, histograms: [] },
      () => (ms += 3400),
    );
    expect(rounds).toBe(3);
    expect(active(goOn(open({ a: 3 }), leads))).toEqual({ a: 12 });
  });
});
