// Cells in; whether the canary waits for CPUs by its own doing, and how long its requests queue because of others, out.
import type { Cell } from './types.ts';

/** Run totals of one arm. */
interface ArmWaits {
  ownSeconds: number;
  othersSeconds: number;
  throttled: number;
  cells: number;
  /** Of cells that tell both how much CPU they used and how long they waited for it. */
  readonly told: {
    requests: number;
    cpuSeconds: number;
    othersSeconds: number;
    delaySeconds: number;
    cells: number;
  };
}

/** What is known of who made each arm wait. */
export interface Waits {
  readonly canary: ArmWaits;
  readonly baseline: ArmWaits;
}

/** A limit that bites for less than this share of the time is no limit to speak of. */
const unremarkableThrottling = 0.01;

/** Returns totals of nothing. */
export function emptyWaits(): Waits {
  const none = (): ArmWaits => ({
    ownSeconds: 0,
    othersSeconds: 0,
    throttled: 0,
    cells: 0,
    told: { requests: 0, cpuSeconds: 0, othersSeconds: 0, delaySeconds: 0, cells: 0 },
  });
  return { canary: none(), baseline: none() };
}

/** Adds a window. */
export function pushWaits(waits: Waits, cells: readonly Cell[]): void {
  for (const { arm, requests, schedDelaySeconds, cpuWait, cpuSeconds, contention } of cells) {
    if (arm !== 'canary' && arm !== 'baseline') continue;
    const known = waits[arm];
    known.ownSeconds += cpuWait?.ownSeconds ?? 0;
    known.othersSeconds += cpuWait?.othersSeconds ?? 0;
    known.throttled += contention?.throttledShare ?? 0;
    known.cells += 1;
    if (!cpuWait || cpuSeconds === undefined) continue;
    known.told.requests += requests;
    known.told.cpuSeconds += cpuSeconds;
    known.told.othersSeconds += cpuWait.othersSeconds;
    known.told.delaySeconds += schedDelaySeconds ?? 0;
    known.told.cells += 1;
  }
}

/**
 * Whether the canary itself is why it waits: it held the CPU for most of the time in which it waited for one, or its
 * own limit held it back more than the baseline's did. A node is not to blame for either.
 */
export function waitsForItself({ canary, baseline }: Waits): boolean {
  const throttled = ({ throttled, cells }: ArmWaits): number => throttled / Math.max(1, cells);
  return (
    canary.ownSeconds > canary.othersSeconds ||
    throttled(canary) > Math.max(unremarkableThrottling, 1.1 * throttled(baseline))
  );
}

/** Of the CPU time that a version wants, others have to take this share before its requests queue because of them. */
const unremarkableTaking = 0.1;
/** With CPUs busier than this, how long the queue is depends on the clients' patience more than on anything that is known. */
const mostBusy = 0.95;

/** Equal requests queue half as long as those that the expectation is made for; less than this of it is no sign of a queue. */
const leastSeen = 0.4;

/**
 * Seconds by which others make a request slower that are not in the delay that the kernel has counted, but in its net
 * duration. Where the thread that reads a request works on it, the queue behind what had to wait is part of the delay, and
 * requests have been delayed by that much more than threads have waited; else by no more than threads have. ∞ where only the
 * others make it more than can be done. Undefined where CPU time is not told.
 */
export function hiddenDelay(waits: ArmWaits, windowSeconds: number): number | undefined {
  const queueing = queueingByOthers(waits, windowSeconds);
  if (queueing === undefined || queueing === 0) return queueing;
  const { requests, othersSeconds, delaySeconds } = waits.told;
  const waited = othersSeconds / requests;
  const delayed = delaySeconds / requests;
  return delayed - waited > leastSeen * queueing ? 0 : Math.max(0, queueing + waited - delayed);
}

/**
 * Seconds that a request waits for those before it more than it would if nobody else had the version's CPUs: a server
 * whose work takes S/(1 − taken) in place of S is busier, and its queue longer. By Sakasegawa's approximation (1977) for
 * exponential times, with as many servers as the CPUs that were used, rounded up: how many threads there are is not
 * known. ∞ where only the others make it more than can be done. Undefined where CPU time is not told.
 */
function queueingByOthers(
  { told: { requests, cpuSeconds, othersSeconds, cells } }: ArmWaits,
  windowSeconds: number,
): number | undefined {
  if (requests === 0 || cpuSeconds === 0) return undefined;
  const wanted = cpuSeconds + othersSeconds;
  if (othersSeconds < unremarkableTaking * wanted) return 0;
  const wallSeconds = cells * windowSeconds;
  const servers = Math.max(1, Math.ceil(cpuSeconds / wallSeconds));
  const busyBy = (seconds: number): number => seconds / wallSeconds / servers;
  if (busyBy(wanted) > mostBusy && busyBy(cpuSeconds) < mostBusy) return Infinity;
  const queue = (seconds: number): number => {
    const busy = Math.min(mostBusy, busyBy(seconds));
    return (busy ** (Math.sqrt(2 * (servers + 1)) - 1) / (servers * (1 - busy))) * (seconds / requests);
  };
  return queue(wanted) - queue(cpuSeconds);
}
