// Cells in; those that have run long enough for their latency to mean something out.
import type { Settings } from './options.ts';
import type { Cell, Window } from './types.ts';

/** When each node and arm was first and last seen, and how many requests it had by then. */
export interface Warmup {
  readonly cells: Map<string, { since: number; seen: number; requests: number }>;
  started: boolean;
}

/** Returns a memory of no cells. */
export function emptyWarmup(): Warmup {
  return { cells: new Map(), started: false };
}

/**
 * Returns the cells of `window` that are warm: their first 60 seconds or 200 requests are over, whichever comes
 * first. A baseline that is there from the first window on was there before it; a canary is new by nature, and a
 * cell that was away for as long as a warm-up takes starts again.
 */
export function warmCells(
  warmup: Warmup,
  { end, cells }: Window,
  windowSeconds: number,
  settings: Settings,
): readonly Cell[] {
  const start = end - windowSeconds;
  const warm = cells.filter((cell) => {
    const key = `${cell.arm} ${cell.node}`;
    const known = warmup.cells.get(key);
    if (cell.requests === 0) return false;
    const old = known === undefined && !warmup.started && cell.arm !== 'canary';
    const returning =
      known !== undefined && start - known.seen < Math.max(settings.warmupSeconds, windowSeconds);
    const state = returning ? known : { since: old ? -Infinity : start, seen: end, requests: 0 };
    const ready = start - state.since >= settings.warmupSeconds || state.requests >= settings.warmupRequests;
    state.seen = end;
    state.requests += cell.requests;
    warmup.cells.set(key, state);
    return ready;
  });
  warmup.started = true;
  return warm;
}
