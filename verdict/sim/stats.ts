// Counts of simulated runs in, exact confidence bounds out.
import { lnGamma } from '../src/special.ts';

/** One-sided upper 95 % bound (Clopper & Pearson 1934) for a probability, after `k` of `n`. */
export function upperBound(k: number, n: number): number {
  if (k >= n) return 1;
  let [low, high] = [k / n, 1];
  for (let i = 0; i < 50; i++) {
    const p = (low + high) / 2;
    if (binomialCdf(k, n, p) > 0.05) low = p;
    else high = p;
  }
  return high;
}

/** One-sided lower 95 % bound. */
export function lowerBound(k: number, n: number): number {
  return 1 - upperBound(n - k, n);
}

/** The `p` quantile of plain values by linear interpolation (type 7 of Hyndman & Fan 1996); undefined of nothing. */
export function percentile(values: readonly number[], p: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * p;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined || below === above) return below;
  return below + (place - Math.floor(place)) * (above - below);
}

/** P(X ≤ k) for X binomial, summed in logarithms. */
export function binomialCdf(k: number, n: number, p: number): number {
  if (p <= 0) return 1;
  let sum = 0;
  for (let i = 0; i <= k; i++) {
    const ways = lnGamma(n + 1) - lnGamma(i + 1) - lnGamma(n - i + 1);
    sum += Math.exp(ways + i * Math.log(p) + (n - i) * Math.log1p(-p));
  }
  return Math.min(1, sum);
}
