// In: two runs that count the same events. Out: what the old one has counted and the new one has not. Pure.
import type { Maps } from './run.ts';

/** How far a value of the old run is ahead of the same value of the new one, which is the same at any time. */
interface Lead {
  readonly least: number;
  readonly most: number;
}

/** By map and key. */
export type Leads = ReadonlyMap<string, ReadonlyMap<string, Lead>>;

export interface Meeting {
  readonly leads: Leads;
  /** The last reading of the old run: of keys that the new one has not counted yet, it says the last word. */
  readonly last: Maps;
  /** Events that may be counted twice or not at all, at most: of some values the lead is not known exactly. */
  readonly doubtfulEvents: number;
  readonly rounds: number;
}

/** A round takes some 10 ms, and much longer where CPU time is short: there it needs more time, and not less care. */
const mostRounds = 50;
const longestMs = 10_000;

/**
 * Finds how far the old run is ahead. The two cannot be read at one instant, but a reading of the old one between two of
 * the new one says that it is ahead by the difference to the second at least, and by that to the first at most. Both
 * count every event: so, round by round, each value has a moment in which nothing comes in between.
 *
 * @param capacity most entries that a map can hold
 */
export const meet = async (
  readOld: () => Promise<Maps>,
  readNew: () => Promise<Maps>,
  capacity: number,
  now: () => number = () => performance.now(),
): Promise<Meeting> => {
  const startMs = now();
  const leads = new Map<string, Map<string, Lead>>();
  let before = await readNew();
  for (let rounds = 1; ; rounds++) {
    const old = await readOld();
    const after = await readNew();
    const isSettled = narrow(leads, before, old, after, capacity);
    if (isSettled || rounds === mostRounds || now() - startMs >= longestMs)
      return { leads, last: old, doubtfulEvents: countDoubtful(leads), rounds };
    before = after;
  }
};

/** Takes a round into account; returns whether all leads are known exactly. */
const narrow = (
  leads: Map<string, Map<string, Lead>>,
  before: Maps,
  old: Maps,
  after: Maps,
  capacity: number,
): boolean => {
  let isSettled = true;
  for (const [map, values] of after) {
    const counts = old.get(map);
    // The old one has no such probe.
    if (counts === undefined) continue;
    const known = leads.get(map) ?? new Map<string, Lead>();
    leads.set(map, known);
    for (const [key, value] of values) {
      // What did not fit into the old one is the new one's. What else only one of them has is a duration that the other
      // has put into the bucket beside it: each takes its own time.
      if (!counts.has(key) && counts.size >= capacity) continue;
      const counted = counts.get(key) ?? 0;
      const now = { least: counted - value, most: counted - (before.get(map)?.get(key) ?? 0) };
      const then = known.get(key) ?? now;
      const both = { least: Math.max(then.least, now.least), most: Math.min(then.most, now.most) };
      // Where they contradict each other, the old one has counted what began before the new one was there.
      const lead = both.least > both.most ? now : both;
      known.set(key, lead);
      if (lead.least < lead.most) isSettled = false;
    }
  }
  return isSettled;
};

/** Maps that count no events have a unit in their name, as bpf/README.md demands. */
const countDoubtful = (leads: Leads): number =>
  [...leads]
    .filter(([map]) => !/_(ns|us|bytes)$/.test(map))
    .flatMap(([, byKey]) => [...byKey.values()])
    .reduce((sum, { least, most }) => sum + Math.ceil((most - least) / 2), 0);

/** The values of the new run as those of the old one would go on. */
export const goOn = (maps: Maps, leads: Leads): Maps =>
  new Map(
    [...maps].map(([map, values]) => {
      const byKey = leads.get(map);
      if (byKey === undefined || byKey.size === 0) return [map, values];
      return [map, new Map([...values].map(([key, value]) => [key, value + middle(byKey.get(key))]))];
    }),
  );

const middle = (lead: Lead | undefined): number =>
  lead === undefined ? 0 : Math.floor((lead.least + lead.most) / 2);
