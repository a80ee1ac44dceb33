// A series of block differences in; what it says about one metric against its margins out.
import type { Segment } from './ladder.ts';
import { failBlocks, passBlocks } from './options.ts';
import { effectRadius, lastQuarterEffect, longRunVariance, meanEffect } from './series.ts';
import type { EffectSeries } from './series.ts';
import type { MetricVerdict } from './types.ts';

/** One metric on the log scale; positive is worse for the canary. */
export interface Finding {
  readonly metric: string;
  readonly blocks: number;
  readonly effect: number;
  /** The anytime-valid interval at the metric's share of α. */
  readonly lower: number;
  readonly upper: number;
  readonly rawEffect: number | undefined;
  readonly rawLower: number | undefined;
  /** The margin of the raw difference: a margin in seconds is another share of another baseline. */
  readonly rawFailLn: number;
  readonly failLn: number;
  readonly passLn: number;
  /** ln of the baseline's level in seconds; undefined for signals. */
  readonly lnBaseline: number | undefined;
  readonly coarse: boolean;
  readonly worse: boolean;
  readonly notInferior: boolean;
  readonly suspect: boolean;
  /** Whether what a host took from one version's CPUs alone makes the difference to what is said. */
  readonly isStealDecisive: boolean;
  readonly healed: boolean;
  /** No amount of time can prove the margin: what the nodes may differ by is too much, or unknown. */
  readonly outOfReach: boolean;
  readonly mde: number;
  readonly etaSeconds: number | undefined;
}

/** What a finding is made of. */
export interface Evidenced {
  readonly metric: string;
  readonly effects: EffectSeries;
  /** What is left of them at least and at most, whatever steal did; by default, they themselves. */
  readonly least?: EffectSeries;
  readonly most?: EffectSeries;
  readonly raw: EffectSeries | undefined;
  /** Fresh starts, which share half of α between them. */
  readonly segments?: readonly Segment[];
  readonly alpha: number;
  readonly passAlpha: number;
  readonly rawFailLn?: number;
  readonly failLn: number;
  readonly passLn: number;
  readonly lnBaseline?: number | undefined;
  /** Mean bucket width (log scale) at the quantile. */
  readonly resolution?: number;
  /** Taken out of every difference: what contention foretells. */
  readonly shift?: number;
  /** Uncertainty at a level 1 − α that time does not shrink; undefined where it cannot be known. */
  readonly standing?: (alpha: number) => number | undefined;
  readonly elapsedSeconds: number;
}

/** Returns the finding, or undefined before the first block with a known uncertainty. */
export function findingOf(evidenced: Evidenced): Finding | undefined {
  const {
    metric,
    effects,
    raw,
    segments = [],
    alpha,
    passAlpha,
    failLn,
    passLn,
    lnBaseline,
    elapsedSeconds,
  } = evidenced;
  const { rawFailLn = failLn, resolution = 0, shift = 0, standing = () => 0 } = evidenced;
  const { least = effects, most = effects } = evidenced;
  const variance = longRunVariance(effects);
  const radius = effectRadius(effects, alpha, variance);
  const passRadius = effectRadius(effects, passAlpha, variance);
  const mean = meanEffect(effects);
  if (radius === undefined || passRadius === undefined || mean === undefined) return undefined;

  const blocks = effects.count;
  const effect = mean - shift;
  const standingFail = standing(alpha);
  const standingPass = standing(passAlpha);
  const lower = effect - radius - (standingFail ?? 0);
  const upper = effect + radius + (standingFail ?? 0);
  const rawEffect = raw && meanEffect(raw);
  const rawRadius = raw && effectRadius(raw, alpha);
  // An interpolated quantile may be off by its bucket: a bucket wider than the margin proves only larger effects.
  const coarse = resolution / 2 > failLn;
  const recent = (lastQuarterEffect(effects) ?? 0) - shift;
  const bar = failLn + (coarse ? 2 * resolution : 0);
  const offset = shift + (standingFail ?? 0);
  const recentlyWorse = segments.some(
    ({ order, effects: own }) => segmentLower(order, own, alpha) - offset > bar,
  );
  const worse = recentlyWorse || (blocks >= failBlocks && lower > bar);
  // A difference that is proven to lie within the margin is not held against anyone.
  const suspect = blocks >= failBlocks && lower > 0 && upper > failLn;
  const isWithin = (series: EffectSeries): boolean =>
    blocks >= passBlocks &&
    !coarse &&
    (series === effects ? mean + passRadius : upperOf(series, passAlpha)) -
      shift +
      (standingPass ?? Infinity) <
      passLn &&
    (lastQuarterEffect(series) ?? 0) - shift < passLn;
  const notInferior = isWithin(most);
  const leastLower = least === effects ? lower : lowerOf(least, alpha) - offset;
  const isWorseAnyway =
    segments.some((segment) => segmentLower(segment.order, segment.least, alpha) - offset > bar) ||
    leastLower > bar;
  return {
    metric,
    blocks,
    effect,
    lower,
    upper,
    rawEffect,
    rawLower: rawEffect !== undefined && rawRadius !== undefined ? rawEffect - rawRadius : undefined,
    rawFailLn,
    failLn,
    passLn,
    lnBaseline,
    coarse,
    worse,
    notInferior,
    suspect,
    isStealDecisive: worse
      ? !isWorseAnyway
      : suspect
        ? leastLower <= 0
        : most !== effects && !notInferior && isWithin(effects),
    healed: !recentlyWorse && recent <= failLn,
    outOfReach: standingPass === undefined || standingPass >= passLn,
    mde: radius + (standingFail ?? 0) + powerQuantile * Math.sqrt(variance / blocks),
    etaSeconds: notInferior ? undefined : etaOf(effect, passRadius, blocks, failLn, passLn, elapsedSeconds),
  };
}

/** Lower bound of a segment's mean; the k-th gets α/(k(k+1)), and all of them together α. */
function segmentLower(order: number, effects: EffectSeries, alpha: number): number {
  if (effects.count < failBlocks) return -Infinity;
  return lowerOf(effects, alpha / (order * (order + 1)));
}

function lowerOf(series: EffectSeries, alpha: number): number {
  return (meanEffect(series) ?? -Infinity) - (effectRadius(series, alpha) ?? Infinity);
}

function upperOf(series: EffectSeries, alpha: number): number {
  return (meanEffect(series) ?? Infinity) + (effectRadius(series, alpha) ?? Infinity);
}

/** Returns the finding as people read it: relative differences, null where unknown. */
export function metricVerdict(finding: Finding, evidence: number | null = null): MetricVerdict {
  const { metric, blocks, worse, notInferior, suspect } = finding;
  return {
    metric,
    state: worse ? 'worse' : notInferior ? 'not-inferior' : suspect ? 'suspect' : 'undecided',
    relative: relative(finding.effect),
    lower: relative(finding.lower),
    upper: relative(finding.upper),
    raw: finding.rawEffect === undefined ? null : relative(finding.rawEffect),
    margin: relative(worse ? finding.failLn : finding.passLn),
    blocks,
    mde: relative(finding.mde),
    etaSeconds: finding.etaSeconds ?? null,
    evidence,
  };
}

/** A log difference as a relative one, kept finite for JSON. */
export function relative(ln: number): number {
  return Math.expm1(Math.min(ln, 700));
}

/** z(0.8): a smallest detectable effect is one that 8 of 10 runs would detect. */
const powerQuantile = 0.841621;

/**
 * Seconds until the interval is likely to fit between the effect and the nearer margin that decides: its width
 * falls with the root of time, and a quantile may not pass before its twentieth block.
 */
function etaOf(
  effect: number,
  radius: number,
  blocks: number,
  failLn: number,
  passLn: number,
  elapsedSeconds: number,
): number | undefined {
  const room = Math.max(passLn - effect, effect - failLn);
  if (!(room > 0)) return undefined;
  const factor = Math.max((radius / room) ** 2, passBlocks / blocks);
  return Math.max(0, elapsedSeconds * (factor - 1));
}
