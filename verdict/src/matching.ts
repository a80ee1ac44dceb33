// One window's cells in; the pairs of histograms that may be compared out: matched node by node, pooled, and net.
import { addCounts, addToBoth, observationsOf } from './histogram.ts';
import { clearPair, emptyPair } from './ladder.ts';
import type { Pair } from './ladder.ts';
import type { Cell } from './types.ts';

/**
 * Three ways to hold a canary against a baseline. The last is matched as the first one is, in windows where most of
 * the canary can be, and pooled in others; it is empty where there are no net durations.
 */
export interface WindowPairs {
  readonly matched: Pair;
  readonly raw: Pair;
  readonly net: Pair;
  /** Observations of the window by node. */
  readonly sizesByNode: Map<string, { canary: number; baseline: number }>;
}

/** Requests of the canary with durations in a window; of those, how many were matched, and compared net. */
export interface Coverage {
  readonly canary: number;
  readonly matched: number;
  readonly net: number;
}

/** Returns pairs to fill, window after window. */
export function emptyPairs(): WindowPairs {
  return { matched: emptyPair(), raw: emptyPair(), net: emptyPair(), sizesByNode: new Map() };
}

/**
 * Fills `pairs` with a window. In the matched pair each request counts with the overlap weight of its node (Li,
 * Morgan & Zaslavsky 2018): the canary's by the baseline's share of the node's requests, and the reverse. So both
 * arms have exactly the same mix of nodes and times, no node with little of one arm gets a large say, and a node
 * without one of the arms gets none. `sizes` are the observations of each cell, where they are known.
 */
export function fillPairs(
  pairs: WindowPairs,
  cells: readonly Cell[],
  sizes: readonly number[] = cells.map(({ durations }) => (durations ? observationsOf(durations) : 0)),
): Coverage {
  clearPair(pairs.matched);
  clearPair(pairs.raw);
  clearPair(pairs.net);
  for (const known of pairs.sizesByNode.values()) known.canary = known.baseline = 0;
  const byCell = cells.map(({ arm, node }, i) => {
    if (arm !== 'canary' && arm !== 'baseline') return undefined;
    let known = pairs.sizesByNode.get(node);
    if (!known) pairs.sizesByNode.set(node, (known = { canary: 0, baseline: 0 }));
    known[arm] = sizes[i] ?? 0;
    return known;
  });

  let canary = 0;
  let matched = 0;
  for (const sizesHere of pairs.sizesByNode.values()) {
    canary += sizesHere.canary;
    if (sizesHere.baseline > 0) matched += sizesHere.canary;
  }
  const isMatched = matched >= canary / 2;
  const withNet = { canary: 0, baseline: 0 };
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i];
    const size = sizes[i] ?? 0;
    if (!cell?.durations || size === 0 || (cell.arm !== 'canary' && cell.arm !== 'baseline')) continue;
    const { arm, durations, netDurations } = cell;
    const beside = byCell[i]?.[arm === 'canary' ? 'baseline' : 'canary'] ?? 0;
    const overlap = beside / (beside + size);
    const stealShare = cell.contention?.stealShare ?? 0;
    addToBoth(pairs.raw[arm], pairs.matched[arm], durations, size, overlap, stealShare);
    if (!netDurations || (isMatched && overlap === 0)) continue;
    addCounts(pairs.net[arm], netDurations, isMatched ? overlap : 1, stealShare);
    withNet[arm] += size;
  }
  return { canary, matched, net: withNet.baseline > 0 ? withNet.canary : 0 };
}
