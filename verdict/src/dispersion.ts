// Groups of events by arm in; how much more they vary than independent events would, out.

/** Running comparison of each group of events with the one before it. */
export interface Dispersion {
  /** Events and canary's share of trials gathered since the last full group, and the last full group. */
  open: Group;
  last: Group | undefined;
  chiSquares: number;
  comparisons: number;
}

/** Events of both arms, and how their traffic was split. */
export interface Group {
  readonly canary: number;
  readonly baseline: number;
  readonly canaryTrials: number;
  readonly trials: number;
}

/** Returns a comparison that has seen nothing. */
export function emptyDispersion(): Dispersion {
  return { open: emptyGroup, last: undefined, chiSquares: 0, comparisons: 0 };
}

const emptyGroup: Group = { canary: 0, baseline: 0, canaryTrials: 0, trials: 0 };

/**
 * Variance of the canary's count over what independent events would have, at least 1. Each group of events is
 * compared with the one before it, so that a canary that is simply worse does not look dispersed; the 2×2 statistic
 * has expectation 1 given its margins. Four imagined groups without dispersion steady the start.
 */
export function dispersionFactor({ chiSquares, comparisons }: Dispersion): number {
  return Math.max(1, (4 + chiSquares) / (4 + comparisons));
}

/** Adds events of one window; every ten or more make a group. */
export function addToDispersion(dispersion: Dispersion, group: Group): void {
  const { open } = dispersion;
  const grown: Group = {
    canary: open.canary + group.canary,
    baseline: open.baseline + group.baseline,
    canaryTrials: open.canaryTrials + group.canaryTrials,
    trials: open.trials + group.trials,
  };
  if (grown.canary + grown.baseline < 10) {
    dispersion.open = grown;
    return;
  }
  const { last } = dispersion;
  if (last && sameSplit(last, grown)) {
    const [a, b, c, d] = [last.canary, last.baseline, grown.canary, grown.baseline];
    const margins = (a + b) * (c + d) * (a + c) * (b + d);
    if (margins > 0) {
      dispersion.chiSquares += ((a * d - b * c) ** 2 * (a + b + c + d - 1)) / margins;
      dispersion.comparisons += 1;
    }
  }
  dispersion.last = grown;
  dispersion.open = emptyGroup;
}

/** Groups can be compared while the canary's share of traffic stands still, within a tenth. */
function sameSplit(a: Group, b: Group): boolean {
  const [first, second] = [a.canaryTrials / a.trials, b.canaryTrials / b.trials];
  return Math.abs(first - second) <= 0.1 * Math.max(first, second);
}
