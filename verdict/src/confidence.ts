// Intrinsic time and α in, boundaries that hold at all times at once out (so a run may be looked at for ever).
import { lnBeta } from './special.ts';

/**
 * The tuning ρ that makes the two-sided normal mixture boundary tightest at intrinsic time `vOpt`.
 * Howard, Ramdas, McAuliffe & Sekhon 2021, eq. (3.6), with the closed form for Lambert's W₋₁ of
 * Waudby-Smith et al. 2021.
 */
export function mixtureRho(vOpt: number, alpha: number): number {
  const spread = 2 * Math.log(1 / alpha);
  return vOpt / (spread + Math.log(1 + spread));
}

/**
 * The two-sided normal mixture boundary (Robbins 1970): a centred sum with variance process `v` stays within it
 * at all times with probability at least 1 − α.
 */
export function normalMixtureBound(v: number, rho: number, alpha: number): number {
  return Math.sqrt((v + rho) * (Math.log(1 + v / rho) + 2 * Math.log(1 / alpha)));
}

/**
 * Half the width, in standard deviations of one block, of the confidence sequence for a mean of `blocks`
 * blocks, tightest at `blocksOpt`. With an estimated deviation it is asymptotic (Waudby-Smith et al. 2021).
 */
export function meanRadius(blocks: number, alpha: number, blocksOpt = 20): number {
  return normalMixtureBound(blocks, mixtureRho(blocksOpt, alpha), alpha) / blocks;
}

/**
 * The two-sided beta-binomial boundary for a sum whose steps lie in [−g, h] (Howard et al. 2020, prop. 7),
 * tuned to `vOpt` as the normal mixture is; found by bisection of the mixture martingale.
 */
export function betaBinomialBound(v: number, g: number, h: number, vOpt: number, alpha: number): number {
  const r = Math.max(mixtureRho(vOpt, alpha) - g * h, 1e-3 * g * h);
  const trials = v / (g * h);
  const share = g / (g + h);
  const prior = [r / (h * (g + h)), r / (g * (g + h))] as const;
  const evidence = (sum: number): number =>
    proportionEvidence((sum + trials * g) / (g + h), trials, prior)(share);
  const crossing = Math.log(1 / alpha);
  if (evidence(trials * h) < crossing) return trials * h;
  return bisect((sum) => evidence(sum) < crossing, 0, trials * h);
}

/**
 * Robbins's beta-binomial mixture martingale, as a function of p: log evidence that `successes` of `trials` did
 * not come with probability p, against a Beta(prior) mixture of others.
 */
export function proportionEvidence(
  successes: number,
  trials: number,
  [a, b]: readonly [number, number],
): (p: number) => number {
  const failures = trials - successes;
  const mixture = lnBeta(a + successes, b + failures) - lnBeta(a, b);
  return (p) =>
    mixture - (successes > 0 ? successes * Math.log(p) : 0) - (failures > 0 ? failures * Math.log1p(-p) : 0);
}

/**
 * One end of the confidence sequence at level 1 − α for a proportion: beyond it lie the probabilities that the
 * martingale above has refuted. The prior puts most weight where error ratios live, well below one.
 */
export function proportionBound(
  end: 'lower' | 'upper',
  successes: number,
  trials: number,
  alpha: number,
): number {
  const upper = end === 'upper';
  if (trials <= 0 || successes === (upper ? trials : 0)) return upper ? 1 : 0;
  const evidence = proportionEvidence(successes, trials, ratioPrior);
  const crossing = Math.log(1 / alpha);
  const point = successes / trials;
  return upper
    ? bisect((p) => evidence(p) < crossing, point, 1)
    : bisect((p) => evidence(p) >= crossing, 0, point);
}

const ratioPrior = [0.5, 5] as const;

/** The point of [low, high] up to which `holds` is true, by 40 halvings. */
function bisect(holds: (x: number) => boolean, low: number, high: number): number {
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
