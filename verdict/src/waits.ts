// Cells in; whether the canary waits for CPUs that it keeps busy itself, or for more than its own limit allows, out.
import type { Cell } from './types.ts';

/** Run totals of one arm. */
interface ArmWaits {
  ownSeconds: number;
  othersSeconds: number;
  throttled: number;
  cells: number;
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
  const none = (): ArmWaits => ({ ownSeconds: 0, othersSeconds: 0, throttled: 0, cells: 0 });
  return { canary: none(), baseline: none() };
}

/** Adds a window. */
export function pushWaits(waits: Waits, cells: readonly Cell[]): void {
  for (const { arm, cpuWait, contention } of cells) {
    if (arm !== 'canary' && arm !== 'baseline') continue;
    const known = waits[arm];
    known.ownSeconds += cpuWait?.ownSeconds ?? 0;
    known.othersSeconds += cpuWait?.othersSeconds ?? 0;
    known.throttled += contention?.throttledShare ?? 0;
    known.cells += 1;
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
