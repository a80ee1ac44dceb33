// Pairs of histograms window by window in; one series of quantile differences per rung of the ladder out.
import type { Layout } from './buckets.ts';
import { clear, effectiveSize, emptyHistogram, merge, quantiles } from './histogram.ts';
import type { Histogram } from './histogram.ts';
import { blockTail, ladder } from './options.ts';
import { copyOf, emptySeries, pushEffect } from './series.ts';
import type { EffectSeries } from './series.ts';
import { excessSteal, slackOfSteal } from './steal.ts';

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
  /**
   * The differences that are left at least, and at most, when what a host took from the CPUs of one version alone may
   * have cost whatever it can: `effects` itself as long as it took nothing.
   */
  least: EffectSeries;
  most: EffectSeries;
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
  least: EffectSeries;
}

const segmentStride = 10;
const segmentLength = 20;

/** Returns empty rungs up to quantile `tail`. */
export function emptyLadder(tail: number): readonly Rung[] {
  return ladder
    .filter((p) => p <= tail)
    .map((p) => ({ p, open: emptyPair(), ...emptyDifferences(), segments: [], ...noSums }));
}

const noSums = { lnBaselineSum: 0, resolutionSum: 0 } as const;

function emptyDifferences(): Pick<Rung, 'effects' | 'least' | 'most'> {
  const effects = emptySeries();
  return { effects, least: effects, most: effects };
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
  nodeEffect: (rung: Rung) => number = () => 0,
): void {
  // Most windows of a busy service are a block of their own: nothing needs to be copied then.
  const whole = rungs.filter(({ open, p }) => isEmpty(open) && blockProgress(window, p) >= 1);
  if (whole.length > 0) closeBlock(whole, window, layout, nodeEffect);
  for (const rung of rungs) {
    if (whole.includes(rung)) continue;
    mergePair(rung.open, window);
    if (blockProgress(rung.open, rung.p) < 1) continue;
    closeBlock([rung], rung.open, layout, nodeEffect);
    clearPair(rung.open);
  }
}

/** Adds the differences of one block to every rung that it is full for. */
function closeBlock(
  rungs: readonly Rung[],
  block: Pair,
  layout: Layout,
  nodeEffect: (rung: Rung) => number,
): void {
  const ps = rungs.map(({ p }) => p);
  const canaries = quantiles(block.canary, layout, ps);
  const baselines = quantiles(block.baseline, layout, ps);
  for (const [i, rung] of rungs.entries()) {
    const [canary, baseline] = [canaries[i], baselines[i]];
    const difference = (canary?.ln ?? NaN) - (baseline?.ln ?? NaN) - nodeEffect(rung);
    if (!canary || !baseline || !Number.isFinite(difference)) continue;
    const slack = stealSlack(block, layout, rung.p, canary.ln, baseline.ln);
    pushBlock(rung, difference, slack, canary.variance + baseline.variance);
    rung.lnBaselineSum += baseline.ln;
    rung.resolutionSum += canary.resolution / 2 + baseline.resolution / 2;
  }
}

function isEmpty({ canary, baseline }: Pair): boolean {
  return canary.total === 0 && baseline.total === 0;
}

/** How full a block is: 1 when its thinner arm has enough requests beyond quantile `p`. */
export function blockProgress({ canary, baseline }: Pair, p: number): number {
  return (Math.min(effectiveSize(canary), effectiveSize(baseline)) * (1 - p)) / (blockTail - 1e-6);
}

/** How much of a block's difference may be steal (positive), or may be hidden by it (negative). */
function stealSlack(
  { canary, baseline }: Pair,
  layout: Layout,
  p: number,
  lnCanary: number,
  lnBaseline: number,
): number {
  const ofCanary = excessSteal(canary, baseline);
  if (ofCanary > 0) return slackOfSteal(baseline, layout, p, lnBaseline, ofCanary);
  const ofBaseline = excessSteal(baseline, canary);
  return ofBaseline > 0 ? -slackOfSteal(canary, layout, p, lnCanary, ofBaseline) : 0;
}

function pushBlock(rung: Rung, difference: number, slack: number, samplingVariance: number): void {
  const { effects, segments } = rung;
  if (effects.count > 0 && effects.count % segmentStride === 0) {
    const { effects: own, least } = emptyDifferences();
    segments.push({ order: effects.count / segmentStride, effects: own, least });
    if (segments.length > segmentLength / segmentStride) segments.shift();
  }
  rung.most = pushBeside(rung.most, effects, difference, Math.max(0, -slack), samplingVariance);
  pushWithLeast(rung, difference, slack, samplingVariance);
  for (const segment of segments) pushWithLeast(segment, difference, slack, samplingVariance);
}

function pushWithLeast(
  series: Pick<Rung, 'effects' | 'least'>,
  difference: number,
  slack: number,
  samplingVariance: number,
): void {
  series.least = pushBeside(series.least, series.effects, difference, Math.min(0, -slack), samplingVariance);
  pushEffect(series.effects, difference, samplingVariance);
}

/** Adds to a series that is `effects` itself, which is added to elsewhere, for as long as there is nothing to shift. */
function pushBeside(
  series: EffectSeries,
  effects: EffectSeries,
  difference: number,
  shift: number,
  samplingVariance: number,
): EffectSeries {
  if (series === effects && shift === 0) return series;
  const own = series === effects ? copyOf(effects) : series;
  pushEffect(own, difference + shift, samplingVariance);
  return own;
}

function mergePair(target: Pair, other: Pair): void {
  merge(target.canary, other.canary);
  merge(target.baseline, other.baseline);
}
