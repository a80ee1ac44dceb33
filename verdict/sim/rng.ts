// A seed in; reproducible uniform, normal, gamma, Poisson and geometric draws out.

/** A stream of draws that depends on its seed alone. */
export interface Rng {
  /** In (0, 1). */
  readonly uniform: () => number;
  readonly normal: () => number;
  readonly poisson: (mean: number) => number;
  /** 1, 2, 3 … with the given mean ≥ 1. */
  readonly geometric: (mean: number) => number;
}

/** Returns a stream: sfc32 (Doty-Humphrey), warmed up from `seed`. */
export function createRng(seed: number): Rng {
  const uniform = sfc32(seed);
  const normal = (): number => {
    // Marsaglia's polar method; the second value is thrown away so that the stream has no hidden state.
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const s = x * x + y * y;
      if (s > 0 && s < 1) return x * Math.sqrt((-2 * Math.log(s)) / s);
    }
  };
  return {
    uniform,
    normal,
    poisson: (mean) => (mean < 10 ? smallPoisson(uniform, mean) : largePoisson(uniform, mean)),
    geometric: (mean) => (mean <= 1 ? 1 : 1 + Math.floor(Math.log(uniform()) / Math.log(1 - 1 / mean))),
  };
}

function sfc32(seed: number): () => number {
  let a = 0x9e3779b9;
  let b = seed | 0;
  let c = 0x243f6a88;
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return ((t >>> 0) + 0.5) / 4_294_967_296;
  };
  for (let i = 0; i < 16; i++) next();
  return next;
}

/** Inversion: multiplies uniforms until they fall below e^−mean. */
function smallPoisson(uniform: () => number, mean: number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = uniform(); product > limit; product *= uniform()) count++;
  return count;
}

/** Transformed rejection, PTRS (Hörmann 1993), for means of 10 and more. */
function largePoisson(uniform: () => number, mean: number): number {
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const acceptance = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = uniform() - 0.5;
    const v = uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= acceptance) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const accept = Math.log((v * inverseAlpha) / (a / (us * us) + b));
    if (accept <= k * Math.log(mean) - mean - lnFactorial(k)) return k;
  }
}

function lnFactorial(k: number): number {
  const n = k + 1;
  return k < 10
    ? Math.log([1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880][k] ?? 1)
    : (n - 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * n) - 1 / (360 * n ** 3);
}
