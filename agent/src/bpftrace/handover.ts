// In: two runs that count the same events. Out: how the new one goes on where the old one ends. Pure.
import type { MapValues } from './parse.ts';
import type { Maps } from './run.ts';

/** What the maps of a program are. */
export interface MapKinds {
  /** Most entries that one can hold. */
  readonly capacity: number;
  readonly levels: readonly Level[];
  /** Those whose buckets, the last field of their keys, are one histogram together: each event is in one of them. */
  readonly histograms: readonly (readonly string[])[];
}

/** A map of what has begun and not ended: it falls as well as rises. */
export interface Level {
  readonly map: string;
  /** The map of what ended and whose begin was not seen; without one, nothing is taken over. */
  readonly unmatched?: string | undefined;
}

/** How the new run goes on: by map and key, what is added to its values. */
export interface Leads {
  /** How far the old run is ahead. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** What had begun before the new run was there, and will end unmatched in it. */
  readonly carried: ReadonlyMap<string, ReadonlyMap<string, Carried>>;
}

interface Carried {
  readonly unmatched: string;
  readonly value: number;
  /** Of unmatched ends, so many had come when it was that value. */
  readonly ends: number;
  /** Nothing came in between while that was found out. */
  readonly isCertain: boolean;
}

export const noLeads: Leads = { counts: new Map(), carried: new Map() };

export interface Meeting {
  readonly leads: Leads;
  /** The last reading of the old run, and the next one of the new, as it goes on: keys that are gone are in the first only. */
  readonly last: Maps;
  readonly next: Maps;
  /** Events that may be counted twice or not at all, at most. */
  readonly doubtfulEvents: number;
  /** What is open, and not followed any more. */
  readonly forgotten: number;
  readonly rounds: number;
}

/** What is compared is whole histograms, and single keys of other maps: by name and key of each. */
type Groups<Value> = Map<string, Map<string, Value>>;

interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** Readings of the new run, the old one and the new one again. */
interface Round {
  readonly before: Maps;
  readonly old: Maps;
  readonly after: Maps;
}

/** A round takes some 10 ms, and much longer where CPU time is short: there it needs more time, and not less care. */
const mostRounds = 50;
const longestMs = 10_000;

/**
 * Finds how far the old run is ahead. The two cannot be read at one instant, but a reading of the old one between two of
 * the new one says that it is ahead by the difference to the second at least, and by that to the first at most. Both
 * count every event: so, round by round, each histogram has a moment in which nothing comes in between. A single bucket
 * says less: each of the two takes its own time of an event, and may put it into the bucket beside the other's.
 */
export const meet = async (
  readOld: () => Promise<Maps>,
  readNew: () => Promise<Maps>,
  kinds: MapKinds,
  now: () => number = () => performance.now(),
): Promise<Meeting> => {
  const startMs = now();
  const groupsOf = grouping(kinds);
  const bounds: Groups<Bounds> = new Map();
  const carried = new Map(kinds.levels.map(({ map }) => [map, new Map<string, Carried>()]));
  let before = await readNew();
  for (let rounds = 1; ; rounds++) {
    const old = await readOld();
    const next = await readNew();
    const round = { before: inBoth(before, old, kinds), old, after: inBoth(next, old, kinds) };
    narrow(bounds, round, groupsOf);
    carry(carried, { before, old, after: next }, kinds);
    const unknown = total(bounds, ({ least, most }) => Math.ceil((most - least) / 2));
    if (unknown === 0 || rounds === mostRounds || now() - startMs >= longestMs) {
      const { leads: counts, unplaced } = share(bounds, round, groupsOf);
      const doubtfulEvents = unknown + unplaced;
      const forgotten = forgottenOf(old, next, kinds);
      return { leads: { counts, carried }, last: old, next, doubtfulEvents, forgotten, rounds };
    }
    before = next;
  }
};

/** What the old run counts as well: it has the probe, and what did not fit into its map is the new one's. */
const inBoth = (maps: Maps, old: Maps, { capacity, levels }: MapKinds): Maps =>
  new Map(
    [...maps].flatMap(([map, values]) => {
      const counts = old.get(map);
      if (counts === undefined || levels.some((level) => level.map === map)) return [];
      if (counts.size < capacity) return [[map, values]];
      return [[map, new Map([...values].filter(([key]) => counts.has(key)))]];
    }),
  );

/** Returns the groups that a map's keys belong to, and by which key. */
const grouping = ({ histograms }: MapKinds) => {
  const withoutBucket = (key: string) => key.slice(0, key.lastIndexOf(','));
  return (map: string): readonly (readonly [group: string, keyOf: (key: string) => string])[] => {
    const all = histograms.filter((maps) => maps.includes(map));
    if (all.length === 0) return [[map, (key) => key]];
    return all.map((maps) => [maps.join(), withoutBucket]);
  };
};

type GroupsOf = ReturnType<typeof grouping>;

const sums = (maps: Maps, groupsOf: GroupsOf): Groups<number> => {
  const groups: Groups<number> = new Map();
  for (const [map, values] of maps) {
    for (const [name, keyOf] of groupsOf(map)) {
      for (const [key, value] of values) add(groups, name, keyOf(key), value);
    }
  }
  return groups;
};

/** Takes a round into account. */
const narrow = (bounds: Groups<Bounds>, round: Round, groupsOf: GroupsOf): void => {
  const before = sums(round.before, groupsOf);
  const old = sums(round.old, groupsOf);
  for (const [name, values] of sums(round.after, groupsOf)) {
    const known = bounds.get(name) ?? new Map<string, Bounds>();
    bounds.set(name, known);
    for (const [key, value] of values) {
      const counted = old.get(name)?.get(key) ?? 0;
      const most = counted - (before.get(name)?.get(key) ?? 0);
      // What neither had counted then, both count from its first event on.
      const now = counted === 0 && most === 0 ? { least: 0, most } : { least: counted - value, most };
      const then = known.get(key) ?? now;
      const both = { least: Math.max(then.least, now.least), most: Math.min(then.most, now.most) };
      // Where they contradict each other, the old one has counted what began before the new one was there.
      known.set(key, both.least > both.most ? now : both);
    }
  }
};

/**
 * Gives each key its part of its group's lead. That says how many events of the last round came before the reading of
 * the old run, and not which: of these few, one may be counted in another's bucket.
 */
const share = (bounds: Groups<Bounds>, { before, old, after }: Round, groupsOf: GroupsOf) => {
  const toPlace = eventsToPlace(bounds, sums(before, groupsOf), sums(old, groupsOf));
  const leads = new Map<string, Map<string, number>>();
  for (const [map, values] of after) {
    const groups = groupsOf(map);
    const ahead = new Map<string, number>();
    leads.set(map, ahead);
    for (const [key, value] of values) {
      const counted = before.get(map)?.get(key) ?? 0;
      const most = groups.map(([name, keyOf]) => toPlace.get(name)?.get(keyOf(key)) ?? 0);
      const placed = Math.min(value - counted, ...most);
      for (const [name, keyOf] of groups) add(toPlace, name, keyOf(key), -placed);
      ahead.set(key, (old.get(map)?.get(key) ?? 0) - counted - placed);
    }
  }
  return { leads, unplaced: total(toPlace, Math.abs) };
};

/** Finds what of each level only the old run knows of; a round in which nothing came in between says it exactly. */
const carry = (
  carried: ReadonlyMap<string, Map<string, Carried>>,
  { before, old, after }: Round,
  { levels }: MapKinds,
): void => {
  for (const { map, unmatched } of levels) {
    const known = carried.get(map);
    if (known === undefined || unmatched === undefined || !after.has(map)) continue;
    const valueOf = (maps: Maps, name: string, key: string) => maps.get(name)?.get(key) ?? 0;
    for (const [key, level] of old.get(map) ?? []) {
      const ends = valueOf(after, unmatched, key);
      const isCertain =
        valueOf(before, map, key) === valueOf(after, map, key) && valueOf(before, unmatched, key) === ends;
      if (!isCertain && known.has(key)) continue;
      known.set(key, { unmatched, value: level - valueOf(after, map, key), ends, isCertain });
    }
  }
};

/** Of the levels that nothing is taken over of, where the new run has them too. */
const forgottenOf = (old: Maps, next: Maps, { levels }: MapKinds): number =>
  levels
    .filter(({ map, unmatched }) => unmatched === undefined && next.has(map))
    .flatMap(({ map }) =>
      [...(old.get(map) ?? [])].map(([key, value]) => value - (next.get(map)?.get(key) ?? 0)),
    )
    .reduce((sum, value) => sum + Math.max(0, value), 0);

/** How many events the new run had counted since `before` when the old one was read. */
const eventsToPlace = (bounds: Groups<Bounds>, before: Groups<number>, old: Groups<number>) => {
  const toPlace: Groups<number> = new Map();
  for (const [name, byKey] of bounds) {
    for (const [key, { least, most }] of byKey) {
      const lead = Math.floor((least + most) / 2);
      add(toPlace, name, key, (old.get(name)?.get(key) ?? 0) - lead - (before.get(name)?.get(key) ?? 0));
    }
  }
  return toPlace;
};

const add = (groups: Groups<number>, name: string, key: string, by: number): void => {
  const byKey = groups.get(name) ?? new Map<string, number>();
  groups.set(name, byKey);
  byKey.set(key, (byKey.get(key) ?? 0) + by);
};

/** Over all events: maps that count none have a unit in their name, as bpf/README.md demands. */
const total = <Value>(groups: Groups<Value>, eventsOf: (value: Value) => number): number =>
  [...groups]
    .filter(([name]) => !/_(ns|us|bytes)$/.test(name))
    .flatMap(([, byKey]) => [...byKey.values()])
    .reduce((sum, value) => sum + eventsOf(value), 0);

/** The values of the new run as those of the old one would go on. */
export const goOn = (maps: Maps, { counts, carried }: Leads): Maps =>
  new Map(
    [...maps].map(([map, values]) => {
      const before = carried.get(map);
      if (before !== undefined) return [map, withCarried(values, before, maps)];
      const byKey = counts.get(map);
      if (byKey === undefined || byKey.size === 0) return [map, values];
      return [map, new Map([...values].map(([key, value]) => [key, value + (byKey.get(key) ?? 0)]))];
    }),
  );

/** Each unmatched end is taken for one of what was carried over, as long as there is some of it. */
const withCarried = (values: MapValues, carried: ReadonlyMap<string, Carried>, maps: Maps): MapValues => {
  const all = new Map(values);
  for (const [key, { unmatched, value, ends }] of carried) {
    const left = value - ((maps.get(unmatched)?.get(key) ?? 0) - ends);
    if (left > 0) all.set(key, (values.get(key) ?? 0) + left);
  }
  return all;
};
