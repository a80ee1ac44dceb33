// One window's cells in; the pairs of histograms that may be compared out: matched node by node, pooled, and net.
import { addCounts } from './histogram.ts';
import { clearPair, emptyPair } from './ladder.ts';
import type { Pair } from './ladder.ts';
import type { Cell } from './types.ts';

/** Three ways to hold a canary against a baseline; the last is empty where there are no net durations. */
export interface WindowPairs {
  readonly matched: Pair;
  readonly raw: Pair;
  readonly net: Pair;
}

/** What a window contributed: requests with durations of the canary, and of those, how many were matched. */
export interface Coverage {
  readonly canary: number;
  readonly matched: number;
}

/** Returns pairs to fill, window after window. */
export function emptyPairs(): WindowPairs {
  return { matched: emptyPair(), raw: emptyPair(), net: emptyPair() };
}

/**
 * Fills `pairs` with a window. In the matched pair each request counts with the overlap weight of its node (Li,
 * Morgan & Zaslavsky 2018): the canary's by the baseline's share of the node's requests, and the reverse. So both
 * arms have exactly the same mix of nodes and times, no node with little of one arm gets a large say, and a node
 * without one of the arms gets none.
 */
export function fillPairs(pairs: WindowPairs, cells: readonly Cell[]): Coverage {
  clearPair(pairs.matched);
  clearPair(pairs.raw);
  clearPair(pairs.net);
  const sizeByNode = { canary: new Map<string, number>(), baseline: new Map<string, number>() };
  for (const { arm, node, durations, netDurations } of cells) {
    if (!durations || (arm !== 'canary' && arm !== 'baseline')) continue;
    const size = addCounts(pairs.raw[arm], durations);
    sizeByNode[arm].set(node, size);
    if (netDurations && size > 0) addCounts(pairs.net[arm], netDurations);
  }

  let canary = 0;
  let matched = 0;
  for (const { arm, node, durations } of cells) {
    if (!durations || (arm !== 'canary' && arm !== 'baseline')) continue;
    const size = sizeByNode[arm].get(node) ?? 0;
    const beside = sizeByNode[arm === 'canary' ? 'baseline' : 'canary'].get(node) ?? 0;
    if (size > 0 && beside > 0) addCounts(pairs.matched[arm], durations, beside / (beside + size));
    if (arm !== 'canary') continue;
    canary += size;
    if (beside > 0) matched += size;
  }
  return { canary, matched };
}
