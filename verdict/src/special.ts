// Numbers in, numbers out: the three special functions that the statistics need.

/**
 * The natural logarithm of Γ(x) for x > 0, to about 13 digits: Stirling's series, which is that good from 10 on,
 * and Γ(x + 1) = x Γ(x) to get there.
 */
export function lnGamma(x: number): number {
  let shift = 1;
  let y = x;
  while (y < 10) {
    shift *= y;
    y += 1;
  }
  const z = 1 / (y * y);
  const series = (1 / 12 - z * (1 / 360 - z * (1 / 1260 - z * (1 / 1680 - z / 1188)))) / y;
  return (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + series - Math.log(shift);
}

/** ln B(a, b), the logarithm of the beta function. */
export function lnBeta(a: number, b: number): number {
  return lnGamma(a) + lnGamma(b) - lnGamma(a + b);
}

/**
 * The standard normal quantile at 0 < p < 1, to about 7 digits: Wichura's PPND7 (AS 241, 1988),
 * whose first branch covers the middle and whose others cover the tails.
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (
      (q * horner(r, [3.3871327179, 50.434271938, 159.29113202, 59.10937472])) /
      horner(r, [1, 17.895169469, 78.757757664, 67.1875636])
    );
  }
  const r = Math.sqrt(-Math.log(Math.min(p, 1 - p)));
  const tail =
    r <= 5
      ? horner(r - 1.6, [1.4234372777, 2.75681539, 1.3067284816, 0.17023821103]) /
        horner(r - 1.6, [1, 0.7370016425, 0.12021132975])
      : horner(r - 5, [6.657905115, 3.081226386, 0.42868294337, 0.017337203997]) /
        horner(r - 5, [1, 0.24197894225, 0.012258202635]);
  return q < 0 ? -tail : tail;
}

/**
 * Student's t quantile with `freedom` ≥ 3 degrees at 0 < p < 1, within 2 %, by the Cornish-Fisher expansion
 * about the normal quantile (Abramowitz & Stegun 26.7.5).
 */
export function studentQuantile(p: number, freedom: number): number {
  const z = normalQuantile(p);
  const z2 = z * z;
  return (
    z *
    (1 +
      horner(z2, [1, 1]) / (4 * freedom) +
      horner(z2, [3, 16, 5]) / (96 * freedom ** 2) +
      horner(z2, [-15, 17, 19, 3]) / (384 * freedom ** 3) +
      horner(z2, [-945, -1920, 1482, 776, 79]) / (92160 * freedom ** 4))
  );
}

function horner(x: number, ascending: readonly number[]): number {
  return ascending.reduceRight((value, coefficient) => value * x + coefficient, 0);
}
