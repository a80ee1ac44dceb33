// Events and trials by node and arm in; strata that can be compared, and the sums of Mantel and Haenszel, out.

/** Events (errors, checkouts) among trials (requests) of one arm. */
export interface Exposure {
  readonly node: string;
  readonly arm: 'canary' | 'baseline';
  readonly events: number;
  readonly trials: number;
}

/** Events among trials of any one group. */
export interface Count {
  readonly events: number;
  readonly trials: number;
}

/** Both arms on one node. */
export interface Pair {
  readonly canary: Count;
  readonly baseline: Count;
}

/** Plain sums, and those of the Mantel-Haenszel odds ratio. */
export interface Tally {
  canaryEvents: number;
  canaryTrials: number;
  matchedCanaryTrials: number;
  baselineEvents: number;
  baselineTrials: number;
  oddsAbove: number;
  oddsBelow: number;
}

/** Returns sums of nothing. */
export function emptyTally(): Tally {
  return {
    canaryEvents: 0,
    canaryTrials: 0,
    matchedCanaryTrials: 0,
    baselineEvents: 0,
    baselineTrials: 0,
    oddsAbove: 0,
    oddsBelow: 0,
  };
}

/** One window's exposures: nodes with both arms, and each arm's sums on those nodes and on others. */
export interface Strata {
  readonly shared: readonly Pair[];
  readonly canaryShared: Count;
  readonly baselineShared: Count;
  readonly canaryAlone: Count;
  readonly baselineElsewhere: Count;
}

/** Sorts a window's exposures into strata; arms without trials are left out. */
export function strataOf(exposures: readonly Exposure[]): Strata {
  const baselineByNode = new Map<string, Exposure>();
  const baselineElsewhere = { events: 0, trials: 0 };
  for (const exposure of exposures) {
    if (exposure.arm !== 'baseline' || exposure.trials === 0) continue;
    baselineByNode.set(exposure.node, exposure);
    move(exposure, baselineElsewhere);
  }
  const shared: Pair[] = [];
  const canaryShared = { events: 0, trials: 0 };
  const baselineShared = { events: 0, trials: 0 };
  const canaryAlone = { events: 0, trials: 0 };
  for (const canary of exposures) {
    if (canary.arm !== 'canary' || canary.trials === 0) continue;
    const baseline = baselineByNode.get(canary.node);
    move(canary, baseline ? canaryShared : canaryAlone);
    if (!baseline) continue;
    shared.push({ canary, baseline });
    move(baseline, baselineShared, baselineElsewhere);
  }
  return { shared, canaryShared, baselineShared, canaryAlone, baselineElsewhere };
}

/** Adds a window to the sums. */
export function addToTally(tally: Tally, { shared, canaryAlone, baselineElsewhere }: Strata): void {
  for (const { canary, baseline } of shared) {
    tally.matchedCanaryTrials += canary.trials;
    addPair(tally, canary, baseline);
  }
  addPair(tally, canaryAlone, baselineElsewhere);
}

function addPair(tally: Tally, canary: Count, baseline: Count): void {
  tally.canaryEvents += canary.events;
  tally.canaryTrials += canary.trials;
  tally.baselineEvents += baseline.events;
  tally.baselineTrials += baseline.trials;
  addOdds(tally, [
    [canary.events, canary.trials - canary.events],
    [baseline.events, baseline.trials - baseline.events],
  ]);
}

/** Mantel-Haenszel odds ratio over nodes and windows; undefined where no stratum can tell. */
export function oddsRatio({ oddsAbove, oddsBelow }: Tally): number | undefined {
  return oddsBelow > 0 ? oddsAbove / oddsBelow : undefined;
}

/** Adds one 2×2 table, events and other trials by arm, to the sums of Mantel and Haenszel (1959). */
export function addOdds(tally: Pick<Tally, 'oddsAbove' | 'oddsBelow'>, table: OddsTable): void {
  const [[a, b], [c, d]] = table;
  const all = a + b + c + d;
  if (all === 0) return;
  tally.oddsAbove += (a * d) / all;
  tally.oddsBelow += (b * c) / all;
}

type OddsTable = readonly [readonly [number, number], readonly [number, number]];

function move({ events, trials }: Count, to: Sum, from?: Sum): void {
  to.events += events;
  to.trials += trials;
  if (!from) return;
  from.events -= events;
  from.trials -= trials;
}

interface Sum {
  events: number;
  trials: number;
}
