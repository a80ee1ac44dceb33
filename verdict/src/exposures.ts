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

/** One window's exposures: nodes with both arms, the canary on other nodes, the baseline on other nodes. */
export interface Strata {
  readonly shared: readonly Pair[];
  readonly canaryAlone: Count;
  readonly baselineElsewhere: Count;
}

/** Sorts a window's exposures into strata; arms without trials are left out. */
export function strataOf(exposures: readonly Exposure[]): Strata {
  const baselineByNode = new Map<string, Exposure>();
  for (const exposure of exposures) {
    if (exposure.arm === 'baseline' && exposure.trials > 0) baselineByNode.set(exposure.node, exposure);
  }
  const shared: Pair[] = [];
  const alone: Exposure[] = [];
  for (const canary of exposures) {
    if (canary.arm !== 'canary' || canary.trials === 0) continue;
    const baseline = baselineByNode.get(canary.node);
    if (baseline) shared.push({ canary, baseline });
    else alone.push(canary);
    baselineByNode.delete(canary.node);
  }
  return { shared, canaryAlone: sumOf(alone), baselineElsewhere: sumOf([...baselineByNode.values()]) };
}

/** Adds counts up. */
export function sumOf(counts: readonly Count[]): Count {
  let events = 0;
  let trials = 0;
  for (const count of counts) {
    events += count.events;
    trials += count.trials;
  }
  return { events, trials };
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
