// Two series of points in; how Kayenta's NetflixACAJudge would classify the metric out.
import { normalQuantile } from '../src/special.ts';

/** `high` and `low` fail a canary when they lie in the metric's direction. */
export type Classification = 'pass' | 'high' | 'low' | 'nodata';

/** A metric's settings, with the judge's own defaults. */
export interface KayentaOptions {
  readonly tolerance?: number;
  readonly confidence?: number;
  readonly direction?: 'Increase' | 'Decrease' | 'Either';
  /** Mean ratios (or, with `cles`, probabilities of superiority) that an effect must exceed to count. */
  readonly effectSizes?: readonly [number, number];
  readonly effectMeasure?: 'meanRatio' | 'cles';
  /** Its NaN strategy `replace`. */
  readonly missingPasses?: boolean;
}

/**
 * Classifies as its MannWhitneyClassifier documents: the interval of the Wilcoxon shift has to clear a tolerance
 * that is a share of the estimated shift itself, and the effect size has to clear its thresholds.
 */
export function classify(
  control: readonly number[],
  experiment: readonly number[],
  options: KayentaOptions = {},
): Classification {
  const { tolerance = 0.25, confidence = 0.98, direction = 'Increase', missingPasses = false } = options;
  if (control.length === 0 || experiment.length === 0) return missingPasses ? 'pass' : 'nodata';
  const sorted = (values: readonly number[]): string => [...values].sort((a, b) => a - b).join();
  if (sorted(control) === sorted(experiment)) return 'pass';
  if (new Set([...control, ...experiment]).size === 1) return 'pass';

  const { lower, upper, estimate } = shiftInterval(untie(control), untie(experiment), confidence);
  const critical = tolerance * Math.abs(estimate);
  const [lowEffect, highEffect] = options.effectSizes ?? [1, 1];
  const effect =
    options.effectMeasure === 'cles' ? superiority(control, experiment) : meanRatio(control, experiment);
  const custom = options.effectSizes !== undefined;
  const isHigh = lower > critical && (!custom || !(effect <= highEffect));
  const isLow = upper < -critical && (!custom || !(effect >= lowEffect));
  if (direction !== 'Decrease' && isHigh) return 'high';
  return direction !== 'Increase' && isLow ? 'low' : 'pass';
}

/** R's asymptotic interval for the Wilcoxon shift, and its estimate: roots of the standardised rank sum. */
export function shiftInterval(
  control: readonly number[],
  experiment: readonly number[],
  confidence: number,
): { readonly lower: number; readonly upper: number; readonly estimate: number } {
  const low = Math.min(...experiment) - Math.max(...control);
  const high = Math.max(...experiment) - Math.min(...control);
  const z = -normalQuantile((1 - confidence) / 2);
  // The rank sum falls in steps; where a step lies on the target, the middle of it is the root.
  const edge = (isLeft: (sum: number) => boolean): number => {
    if (!isLeft(standardRankSum(low, control, experiment))) return low;
    if (isLeft(standardRankSum(high, control, experiment))) return high;
    let [from, to] = [low, high];
    for (let i = 0; i < 60 && to - from > 1e-12 * (Math.abs(from) + Math.abs(to)); i++) {
      const middle = (from + to) / 2;
      if (isLeft(standardRankSum(middle, control, experiment))) from = middle;
      else to = middle;
    }
    return (from + to) / 2;
  };
  return {
    lower: edge((sum) => sum > z),
    upper: edge((sum) => sum > -z),
    estimate: (edge((sum) => sum > 0) + edge((sum) => sum >= 0)) / 2,
  };
}

/** The experiment's rank sum after a shift by `mu`, centred, continuity-corrected and scaled for ties. */
function standardRankSum(mu: number, control: readonly number[], experiment: readonly number[]): number {
  const [m, n] = [experiment.length, control.length];
  const all = [
    ...experiment.map((value) => ({ value: value - mu, ours: true })),
    ...control.map((value) => ({ value, ours: false })),
  ].sort((a, b) => a.value - b.value);
  let rankSum = 0;
  let ties = 0;
  for (let i = 0; i < all.length;) {
    let end = i;
    let ours = 0;
    while (end < all.length && all[end]?.value === all[i]?.value) {
      if (all[end]?.ours) ours++;
      end++;
    }
    const size = end - i;
    rankSum += ours * (i + 1 + (size - 1) / 2);
    ties += size ** 3 - size;
    i = end;
  }
  const centred = rankSum - (m * (m + 1)) / 2 - (m * n) / 2;
  const sigma = Math.sqrt(((m * n) / 12) * (m + n + 1 - ties / ((m + n) * (m + n - 1))));
  return sigma === 0 ? 0 : (centred - 0.5 * Math.sign(centred)) / sigma;
}

/** Kayenta shakes tied series by Gaussian noise of 1e-5; an even spread of the same size does so reproducibly. */
function untie(values: readonly number[]): readonly number[] {
  if (new Set(values).size === values.length) return values;
  return values.map(
    (value, i) => value + 1e-5 * normalQuantile((((i * 7) % values.length) + 0.5) / values.length),
  );
}

function meanRatio(control: readonly number[], experiment: readonly number[]): number {
  const [below, above] = [mean(control), mean(experiment)];
  return below === 0 || above === 0 ? NaN : above / below;
}

/** Common-language effect size: how often a point of the experiment exceeds one of the control. */
function superiority(control: readonly number[], experiment: readonly number[]): number {
  let wins = 0;
  for (const x of experiment) for (const y of control) wins += x > y ? 1 : x === y ? 0.5 : 0;
  return wins / (control.length * experiment.length);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
