// A latency family and what slows it down in; the probability of each histogram bucket out.
import { layoutOf } from '../src/buckets.ts';
import type { Layout } from '../src/buckets.ts';
import { lnGamma } from '../src/special.ts';

/** Share of requests that take at most `seconds`. */
export type Cdf = (seconds: number) => number;

/** Quiet latencies of a request of about 100 ms, of the shapes that services have. */
export const families: Readonly<Record<string, Cdf>> = {
  'log-normal': logNormal(0.1, 0.5),
  'slow path': mixture([0.95, logNormal(0.08, 0.35)], [0.05, logNormal(0.35, 0.3)]),
  gamma: gammaOfThree(0.04),
  'Pareto tail': (x) => 1 - 1 / (1 + (x / 0.1) ** 3),
  'bimodal cache': mixture([0.7, logNormal(0.01, 0.3)], [0.3, logNormal(0.15, 0.4)]),
};

/** How a regression or a neighbour makes requests slower. */
export type Slowing = 'scale' | 'shift' | 'tail';

/** Returns `base` slowed so that its quantile `p` rises by `effect` (0.2 is 20 %). */
export function slowed(base: Cdf, kind: Slowing, effect: number, p = 0.99): Cdf {
  if (effect === 0) return base;
  const from = quantileOf(base, p);
  const target = from * (1 + effect);
  switch (kind) {
    case 'scale':
      return (x) => base(x / (1 + effect));
    case 'shift':
      return (x) => (x > target - from ? base(x - (target - from)) : 0);
    case 'tail': {
      // A few requests take four times as long; how many, so that the quantile moves as asked.
      const share = (p - base(target)) / (base(target / 4) - base(target));
      return mixture([1 - share, base], [share, (x) => base(x / 4)]);
    }
  }
}

/** The `p` quantile in seconds. */
export function quantileOf(cdf: Cdf, p: number): number {
  let [low, high] = [Math.log(1e-5), Math.log(1e4)];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (cdf(Math.exp(middle)) < p) low = middle;
    else high = middle;
  }
  return Math.exp(high);
}

/** Bucket probabilities of a distribution under any node speed. */
export interface BucketTable {
  readonly offset: number;
  /** Probabilities from bucket `offset` on, of durations multiplied by e^`lnFactor`. */
  readonly probabilities: (lnFactor: number) => Float64Array;
}

/** Simulated histograms have schema 3, from about 1 ms to 30 s. */
export const simulatedSchema = 3;
const firstBucket = -80;
const buckets = 120;

/** Tabulates `cdf` finely once, so that a node's speed costs only a shift and an interpolation. */
export function tabulate(cdf: Cdf): BucketTable {
  const layout: Layout = layoutOf({ schema: simulatedSchema });
  const fine = 16;
  const step = Math.LN2 / 2 ** simulatedSchema / fine;
  const start = layout.lnLower(firstBucket) - 24 * fine * step;
  const values = Float64Array.from({ length: (buckets + 48) * fine }, (_, i) =>
    cdf(Math.exp(start + i * step)),
  );
  const at = (ln: number): number => {
    const place = Math.min(Math.max((ln - start) / step, 0), values.length - 1.001);
    const i = Math.floor(place);
    const low = values[i] ?? 0;
    return low + (place - i) * ((values[i + 1] ?? 1) - low);
  };
  return {
    offset: firstBucket,
    probabilities: (lnFactor) => {
      const result = new Float64Array(buckets);
      let below = 0;
      for (let i = 0; i < buckets; i++) {
        const upTo = i === buckets - 1 ? 1 : at(layout.lnUpper(firstBucket + i) - lnFactor);
        result[i] = upTo - below;
        below = upTo;
      }
      return result;
    },
  };
}

function mixture(...parts: readonly (readonly [number, Cdf])[]): Cdf {
  return (x) => parts.reduce((sum, [share, cdf]) => sum + share * cdf(x), 0);
}

function logNormal(median: number, sigma: number): Cdf {
  return (x) => (x <= 0 ? 0 : normalCdf(Math.log(x / median) / sigma));
}

/** Gamma with shape 3 has a closed form. */
function gammaOfThree(scale: number): Cdf {
  return (x) => 1 - Math.exp(-x / scale) * (1 + x / scale + (x / scale) ** 2 / 2);
}

/** Φ by the series for small and the continued fraction for large arguments of the incomplete gamma function. */
export function normalCdf(z: number): number {
  const x = (z * z) / 2;
  if (x > 350) return z > 0 ? 1 : 0;
  const scale = Math.exp(-x + 0.5 * Math.log(Math.max(x, 1e-300)) - lnGamma(0.5));
  let half: number;
  if (x < 1.5) {
    let term = 2;
    let sum = 2;
    for (let n = 1; term > 1e-16 * sum; n++) {
      term *= x / (n + 0.5);
      sum += term;
    }
    half = (sum * scale) / 2;
  } else {
    let fraction = 0;
    for (let n = 60; n > 0; n--) fraction = (n * (n - 0.5)) / (x + 2 * n + 0.5 - fraction);
    half = 0.5 - scale / (x + 0.5 - fraction) / 2;
  }
  return z >= 0 ? 0.5 + half : 0.5 - half;
}
