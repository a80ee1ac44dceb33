// Other services' durations by node in; how much slower the canary's nodes make everyone, at each quantile, out.
import type { Layout } from './buckets.ts';
import { addCounts, clear, emptyHistogram, merge, quantile } from './histogram.ts';
import type { Histogram } from './histogram.ts';
import { emptyLadder, pushPair } from './ladder.ts';
import type { Pair, Rung } from './ladder.ts';
import type { Cell } from './types.ts';

/** Fewer services than this cannot outvote one that has troubles of its own. */
const fewestServices = 3;
/** Requests beyond the quantile that a service needs on either side to have a say in a block. */
const fewestTail = 5;

/** The canary's comparison less the node effect, and what each service has said so far. */
export interface CoTenants {
  readonly rungs: readonly Rung[];
  readonly open: readonly Map<string, Sides>[];
  /** By rung and service: sum and number of block effects. */
  readonly effects: readonly Map<string, { sum: number; count: number }>[];
}

interface Sides {
  readonly beside: Histogram;
  readonly elsewhere: Histogram;
}

/** Returns co-tenants that have said nothing, for quantiles up to `tail`. */
export function emptyCoTenants(tail: number): CoTenants {
  const rungs = emptyLadder(tail);
  return { rungs, open: rungs.map(() => new Map()), effects: rungs.map(() => new Map()) };
}

/**
 * Adds a window. A service's node effect is its own difference between nodes with the canary and nodes with the
 * baseline alone; the median over services is taken out of the canary's difference. Blocks in which fewer than three
 * services can speak are left out. Returns whether three services were there.
 */
export function pushCoTenants(
  coTenants: CoTenants,
  cells: readonly Cell[],
  raw: Pair,
  layout: Layout,
): boolean {
  const services = sidesOf(cells);
  if (services.size < fewestServices) return false;
  coTenants.open.forEach((open) => {
    for (const [service, sides] of services) {
      const target = open.get(service) ?? { beside: emptyHistogram(), elsewhere: emptyHistogram() };
      merge(target.beside, sides.beside);
      merge(target.elsewhere, sides.elsewhere);
      open.set(service, target);
    }
  });
  pushPair(coTenants.rungs, raw, layout, (rung) => {
    const effects = closeBlock(coTenants, coTenants.rungs.indexOf(rung), layout);
    return effects.length >= fewestServices ? median(effects) : NaN;
  });
  return true;
}

/**
 * Standard error of the median node effect that more time will not shrink: services differ in how much a busy
 * node hurts them. Infinite with fewer than three services.
 */
export function coTenantError({ effects }: CoTenants, rung: number): number {
  const means = [...(effects[rung] ?? new Map<string, never>()).values()].map(
    ({ sum, count }) => sum / count,
  );
  if (means.length < fewestServices) return Infinity;
  const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
  const variance = means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (means.length - 1);
  // √(π/2): the median of a normal sample is that much less certain than its mean.
  return Math.sqrt((Math.PI / 2) * (variance / means.length));
}

/** Each service's node effect in the block of rung `i`, which is then forgotten. */
function closeBlock({ rungs, open, effects }: CoTenants, i: number, layout: Layout): readonly number[] {
  const p = rungs[i]?.p ?? 0;
  const found: number[] = [];
  for (const [service, { beside, elsewhere }] of open[i] ?? []) {
    if (Math.min(beside.total, elsewhere.total) * (1 - p) >= fewestTail) {
      const effect = (quantile(beside, layout, p)?.ln ?? NaN) - (quantile(elsewhere, layout, p)?.ln ?? NaN);
      const sums = effects[i]?.get(service) ?? { sum: 0, count: 0 };
      effects[i]?.set(service, { sum: sums.sum + effect, count: sums.count + 1 });
      found.push(effect);
    }
    clear(beside);
    clear(elsewhere);
  }
  return found;
}

/** Services with durations both on nodes with the canary and on nodes with the baseline alone. */
function sidesOf(cells: readonly Cell[]): ReadonlyMap<string, Sides> {
  const canaryNodes = nodesOf(cells, 'canary');
  const baselineNodes = nodesOf(cells, 'baseline');
  const services = new Map<string, Sides>();
  for (const { arm, node, durations } of cells) {
    if (!arm.startsWith('other:') || !durations) continue;
    const sides = services.get(arm) ?? { beside: emptyHistogram(), elsewhere: emptyHistogram() };
    services.set(arm, sides);
    if (canaryNodes.has(node)) addCounts(sides.beside, durations);
    else if (baselineNodes.has(node)) addCounts(sides.elsewhere, durations);
  }
  for (const [service, { beside, elsewhere }] of services) {
    if (beside.total === 0 || elsewhere.total === 0) services.delete(service);
  }
  return services;
}

function nodesOf(cells: readonly Cell[], arm: Cell['arm']): ReadonlySet<string> {
  return new Set(cells.filter((cell) => cell.arm === arm && cell.requests > 0).map(({ node }) => node));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}
