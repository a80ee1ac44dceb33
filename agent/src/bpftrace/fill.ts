// In: snapshots. Out: a call when a map fills up with what has gone, and not more often than helps.
import type { Snapshot } from './run.ts';

/** Keys cannot be deleted from outside, and what does not fit into a full map is lost: only a fresh process helps. */
export const fullPart = 0.7;
const firstPauseMs = 60_000;
const longestPauseMs = 3_600_000;

/**
 * Returns a function that takes each snapshot and calls `onFull` when a map is 70 % full. The next call comes a minute
 * later at the earliest, and ever later while calls do not help: then the map is full of what lives.
 */
export const createFillWatch = (
  capacity: number,
  onFull: (map: string, entries: number) => Promise<unknown>,
  now: () => number = () => performance.now(),
) => {
  let pauseMs = firstPauseMs;
  let calledMs = -Infinity;
  return ({ maps }: Snapshot): void => {
    const sinceMs = now() - calledMs;
    if (sinceMs < pauseMs) return;
    const [map, values] = [...maps].find(([, { size }]) => size >= fullPart * capacity) ?? [];
    if (map === undefined || values === undefined) return;
    pauseMs = sinceMs < 2 * pauseMs ? Math.min(2 * pauseMs, longestPauseMs) : firstPauseMs;
    calledMs = now();
    void onFull(map, values.size);
  };
};
