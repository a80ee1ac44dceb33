// A window's members in; which of them have run long enough for their latency to mean something out.
import type { Settings } from './options.ts';
import type { Member } from './roster.ts';

/** When each member was first and last seen, and how many requests it had by then. */
export interface Warmup {
  readonly ages: (Age | undefined)[];
  started: boolean;
}

interface Age {
  readonly since: number;
  seen: number;
  requests: number;
}

/** Returns a memory of nobody. */
export function emptyWarmup(): Warmup {
  return { ages: [], started: false };
}

/**
 * Returns the members that are warm in the window that ends at `end`: their first 60 seconds or 200 requests are over,
 * whichever comes first. A baseline that is there from the first window on was there before it; a canary is new by
 * nature, and one that was away for as long as a warm-up takes starts again. Without requests it has nothing to say.
 */
export function warmOf(
  warmup: Warmup,
  members: readonly Member[],
  end: number,
  windowSeconds: number,
  settings: Settings,
): readonly Member[] {
  const start = end - windowSeconds;
  const warm = members.filter(({ number, arm, cell: { requests } }) => {
    if (requests === 0) return false;
    let age = warmup.ages[number];
    if (!age || start - age.seen >= Math.max(settings.warmupSeconds, windowSeconds)) {
      const isOld = !age && !warmup.started && arm !== 'canary';
      warmup.ages[number] = age = { since: isOld ? -Infinity : start, seen: end, requests: 0 };
    }
    const isWarm = start - age.since >= settings.warmupSeconds || age.requests >= settings.warmupRequests;
    age.seen = end;
    age.requests += requests;
    return isWarm;
  });
  warmup.started = true;
  return warm;
}
