// Cells in; which of them have run long enough for their latency to mean something out.
import type { Settings } from './options.ts';
import type { Window } from './types.ts';

/** When each node and arm was first and last seen, and how many requests it had by then. */
export interface Warmup {
  readonly arms: Map<string, Map<string, Seen>>;
  started: boolean;
}

interface Seen {
  readonly since: number;
  seen: number;
  requests: number;
}

/** Returns a memory of no cells. */
export function emptyWarmup(): Warmup {
  return { arms: new Map(), started: false };
}

/**
 * Returns for each cell of `window` whether it is warm: its first 60 seconds or 200 requests are over, whichever
 * comes first. A baseline that is there from the first window on was there before it; a canary is new by nature, and
 * a cell that was away for as long as a warm-up takes starts again. A cell without requests has nothing to say.
 */
export function areWarm(
  warmup: Warmup,
  { end, cells }: Window,
  windowSeconds: number,
  settings: Settings,
): readonly boolean[] {
  const start = end - windowSeconds;
  const warm = cells.map(({ arm, node, requests }) => {
    if (requests === 0) return false;
    let nodes = warmup.arms.get(arm);
    if (!nodes) warmup.arms.set(arm, (nodes = new Map<string, Seen>()));
    const known = nodes.get(node);
    const old = known === undefined && !warmup.started && arm !== 'canary';
    const returning =
      known !== undefined && start - known.seen < Math.max(settings.warmupSeconds, windowSeconds);
    const state: Seen = returning ? known : { since: old ? -Infinity : start, seen: end, requests: 0 };
    if (state !== known) nodes.set(node, state);
    const ready = start - state.since >= settings.warmupSeconds || state.requests >= settings.warmupRequests;
    state.seen = end;
    state.requests += requests;
    return ready;
  });
  warmup.started = true;
  return warm;
}
