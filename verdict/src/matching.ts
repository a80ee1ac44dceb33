// One window's members in; the pairs of histograms that may be compared out: matched node by node, pooled, and net.
import { addCounts, addToBoth } from './histogram.ts';
import { clearPair, emptyPair } from './ladder.ts';
import type { Pair } from './ladder.ts';
import type { Member } from './roster.ts';

/**
 * Three ways to hold a canary against a baseline. The last is matched as the first one is, in windows where most of
 * the canary can be, and pooled in others; it is empty where there are no net durations.
 */
export interface WindowPairs {
  readonly matched: Pair;
  readonly raw: Pair;
  readonly net: Pair;
  /** Observations of the window by the member's number. */
  readonly sizes: number[];
}

/** Requests of the canary with durations in a window; of those, how many were matched, and compared net. */
export interface Coverage {
  readonly canary: number;
  readonly matched: number;
  readonly net: number;
}

/** Returns pairs to fill, window after window. */
export function emptyPairs(): WindowPairs {
  return { matched: emptyPair(), raw: emptyPair(), net: emptyPair(), sizes: [] };
}

/**
 * Fills `pairs` with a window. In the matched pair each request counts with the overlap weight of its node (Li,
 * Morgan & Zaslavsky 2018): the canary's by the baseline's share of the node's requests, and the reverse. So both
 * arms have exactly the same mix of nodes and times, no node with little of one arm gets a large say, and a node
 * without one of the arms gets none.
 */
export function fillPairs(pairs: WindowPairs, members: readonly Member[]): Coverage {
  const { sizes } = pairs;
  clearPair(pairs.matched);
  clearPair(pairs.raw);
  clearPair(pairs.net);
  sizes.fill(0);
  for (const { number, size } of members) sizes[number] = size;
  const sizeBeside = ({ beside }: Member): number => (beside ? (sizes[beside.number] ?? 0) : 0);

  let canary = 0;
  let matched = 0;
  for (const member of members) {
    if (member.arm !== 'canary') continue;
    canary += member.size;
    if (sizeBeside(member) > 0) matched += member.size;
  }
  const isMatched = matched >= canary / 2;
  const withNet = { canary: 0, baseline: 0 };
  for (const member of members) {
    const { arm, size, cell } = member;
    const { durations, netDurations } = cell;
    if (!durations || size === 0 || (arm !== 'canary' && arm !== 'baseline')) continue;
    const beside = sizeBeside(member);
    const overlap = beside / (beside + size);
    const stealShare = cell.contention?.stealShare ?? 0;
    addToBoth(pairs.raw[arm], pairs.matched[arm], durations, size, overlap, stealShare);
    if (!netDurations || (isMatched && overlap === 0)) continue;
    addCounts(pairs.net[arm], netDurations, isMatched ? overlap : 1, stealShare);
    withNet[arm] += size;
  }
  return { canary, matched, net: withNet.baseline > 0 ? withNet.canary : 0 };
}
