// One arm's events and trials, window by window, in; how much more they vary than independent events would, out.

/** Sums of an index of dispersion, which needs no history. */
export interface Dispersion {
  windows: number;
  events: number;
  trials: number;
  /** Sum over windows of events² / trials. */
  squares: number;
}

/** Returns sums of nothing. */
export function emptyDispersion(): Dispersion {
  return { windows: 0, events: 0, trials: 0, squares: 0 };
}

/** Adds one arm's window. */
export function addToDispersion(dispersion: Dispersion, events: number, trials: number): void {
  if (trials === 0) return;
  dispersion.windows += 1;
  dispersion.events += events;
  dispersion.trials += trials;
  dispersion.squares += (events * events) / trials;
}

/**
 * Variance over mean of events a window, between 1 and 8: Pearson's statistic about each arm's own rate, over its
 * degrees of freedom. Each arm is held against itself, so that a canary that is simply worse does not look
 * dispersed; bursts of retries do. What chance alone adds to the statistic, one standard deviation, is taken off:
 * otherwise half of all healthy counts would be called a little dispersed. Ten imagined independent events steady the start. The upper limit keeps a
 * canary that fails only now and then from excusing itself by that.
 */
export function dispersionFactor(arms: readonly Dispersion[]): number {
  let weighted = steadyEvents;
  let events = steadyEvents;
  for (const arm of arms) {
    if (arm.windows < 2 || arm.events === 0) continue;
    const statistic = (arm.squares * arm.trials) / arm.events - arm.events;
    const noise = Math.sqrt(2 / (arm.windows - 1) + 1 / arm.events);
    weighted += arm.events * Math.max(statistic / (arm.windows - 1) - noise, 1);
    events += arm.events;
  }
  return Math.min(Math.max(weighted / events, 1), largestFactor);
}

const steadyEvents = 10;
const largestFactor = 8;
