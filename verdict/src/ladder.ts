// Pairs of histograms window by window in; one series of quantile differences per rung of the ladder out.
import type { Layout } from './buckets.ts';
import { clear, effectiveSize, emptyHistogram, merge, quantile } from './histogram.ts';
import type { Histogram } from './histogram.ts';
import { blockTail, ladder } from './options.ts';
import { emptySeries, pushEffect } from './series.ts';
import type { EffectSeries } from './series.ts';

/** Canary and baseline over the same time, weighted so that they can be compared. */
export interface Pair {
  readonly canary: Histogram;
  readonly baseline: Histogram;
}

/** One quantile: the block that is being filled, and the differences of the blocks before it. */
export interface Rung {
  readonly p: number;
  readonly open: Pair;
  readonly effects: EffectSeries;
  /** The newest stretches of the run, so that a change is not hidden by all that went before. */
  readonly segments: Segment[];
  /** Sum over blocks of the baseline's ln seconds. */
  lnBaselineSum: number;
  /** Sum over blocks of how far bucketing may have moved the difference; ∞ in an open-ended bucket. */
  resolutionSum: number;
}

/** The blocks since the `order`-th fresh start; one begins every ten blocks and lives for twenty. */
export interface Segment {
  readonly order: number;
  readonly effects: EffectSeries;
}

const segmentStride = 10;
const segmentLength = 20;

/** Returns empty rungs up to quantile `tail`. */
export function emptyLadder(tail: number): readonly Rung[] {
  return ladder
    .filter((p) => p <= tail)
    .map((p) => ({
      p,
      open: emptyPair(),
      effects: emptySeries(),
      segments: [],
      lnBaselineSum: 0,
      resolutionSum: 0,
    }));
}

/** Returns a pair without observations. */
export function emptyPair(): Pair {
  return { canary: emptyHistogram(), baseline: emptyHistogram() };
}

/** Forgets what a pair holds. */
export function clearPair({ canary, baseline }: Pair): void {
  clear(canary);
  clear(baseline);
}

/**
 * Adds a window. Each rung's block ends with the window that brings the thinner arm to 20 requests beyond the
 * quantile; `nodeEffect`, asked at that moment, is taken out of the block's difference; NaN voids the block.
 */
export function pushPair(
  rungs: readonly Rung[],
  window: Pair,
  layout: Layout,
  nodeEffect: (rung: number) => number = () => 0,
): void {
  rungs.forEach((rung, i) => {
    // Most windows of a busy service are a block of their own: nothing needs to be copied then.
    const block = rung.open.canary.total > 0 || rung.open.baseline.total > 0 ? rung.open : window;
    if (block === rung.open || blockProgress(window, rung.p) < 1) mergePair(rung.open, window);
    if (blockProgress(block, rung.p) < 1) return;
    const canary = quantile(block.canary, layout, rung.p);
    const baseline = quantile(block.baseline, layout, rung.p);
    const difference = (canary?.ln ?? NaN) - (baseline?.ln ?? NaN) - nodeEffect(i);
    if (canary && baseline && Number.isFinite(difference)) {
      pushBlock(rung, difference, canary.variance + baseline.variance);
      rung.lnBaselineSum += baseline.ln;
      rung.resolutionSum += canary.resolution / 2 + baseline.resolution / 2;
    }
    if (block === rung.open) clearPair(rung.open);
  });
}

/** How full a block is: 1 when its thinner arm has enough requests beyond quantile `p`. */
export function blockProgress({ canary, baseline }: Pair, p: number): number {
  return (Math.min(effectiveSize(canary), effectiveSize(baseline)) * (1 - p)) / (blockTail - 1e-6);
}

function pushBlock({ effects, segments }: Rung, difference: number, samplingVariance: number): void {
  if (effects.count > 0 && effects.count % segmentStride === 0) {
    segments.push({ order: effects.count / segmentStride, effects: emptySeries() });
    if (segments.length > segmentLength / segmentStride) segments.shift();
  }
  pushEffect(effects, difference, samplingVariance);
  for (const segment of segments) pushEffect(segment.effects, difference, samplingVariance);
}

function mergePair(target: Pair, other: Pair): void {
  merge(target.canary, other.canary);
  merge(target.baseline, other.baseline);
}
