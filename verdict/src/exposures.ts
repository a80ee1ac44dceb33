// Events and trials by node and arm in; strata that can be compared, and the sums of Mantel and Haenszel, out.
import { besideOf } from './roster.ts';
import type { Member } from './roster.ts';

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
  for (const exposure of exposures) {
    if (exposure.arm === 'baseline') baselineByNode.set(exposure.node, exposure);
  }
  const pairs: Pair[] = [];
  for (const canary of exposures) {
    if (canary.arm !== 'canary') continue;
    pairs.push({ canary, baseline: baselineByNode.get(canary.node) ?? nothing });
    baselineByNode.delete(canary.node);
  }
  for (const baseline of baselineByNode.values()) pairs.push({ canary: nothing, baseline });
  return strataOfPairs(pairs);
}

/** Sorts the requests of a window's members, of which some ended in errors, into strata. */
export function errorStrata(members: readonly Member[]): Strata {
  const pairs: Pair[] = [];
  for (const member of members) {
    const { arm } = member;
    if (arm !== 'canary' && arm !== 'baseline') continue;
    const beside = besideOf(member);
    if (arm === 'canary') pairs.push({ canary: errorsOf(member), baseline: errorsOf(beside) });
    else if (!beside) pairs.push({ canary: nothing, baseline: errorsOf(member) });
  }
  return strataOfPairs(pairs);
}

function errorsOf(member: Member | undefined): Count {
  return member ? { events: member.cell.errors, trials: member.cell.requests } : nothing;
}

/** Both arms of each node in; strata out. */
function strataOfPairs(pairs: readonly Pair[]): Strata {
  const shared: Pair[] = [];
  const canaryShared = { events: 0, trials: 0 };
  const baselineShared = { events: 0, trials: 0 };
  const canaryAlone = { events: 0, trials: 0 };
  const baselineElsewhere = { events: 0, trials: 0 };
  for (const pair of pairs) {
    const { canary, baseline } = pair;
    const isShared = canary.trials > 0 && baseline.trials > 0;
    if (isShared) shared.push(pair);
    if (canary.trials > 0) add(isShared ? canaryShared : canaryAlone, canary);
    if (baseline.trials > 0) add(isShared ? baselineShared : baselineElsewhere, baseline);
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

function add(sum: Sum, { events, trials }: Count): void {
  sum.events += events;
  sum.trials += trials;
}

interface Sum {
  events: number;
  trials: number;
}

const nothing: Count = { events: 0, trials: 0 };
