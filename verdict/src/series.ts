// One difference per block in; its mean and long-run variance out, in constant time a block.
import { meanRadius } from './confidence.ts';

/** Block differences of one metric, oldest first, with what the variance needs of them. */
export interface EffectSeries {
  count: number;
  sum: number;
  /** Sums of products of differences `lag` blocks apart, by lag, as far as a series of this length needs them. */
  readonly products: number[];
  /** The blocks themselves: what the oldest and the newest lack in those sums is taken from here. */
  readonly differences: number[];
  /** Running sums, so that the mean of any last stretch is one subtraction. */
  readonly sums: number[];
  samplingVariance: number;
}

/** Autocovariances are kept up to this lag; √J·0.65 reaches it after 2100 blocks. */
const maxLag = 30;

/** Returns a series without blocks. */
export function emptySeries(): EffectSeries {
  return {
    count: 0,
    sum: 0,
    products: [],
    differences: [],
    sums: [],
    samplingVariance: 0,
  };
}

/** Returns a series that goes on by itself. */
export function copyOf(series: EffectSeries): EffectSeries {
  const { products, differences, sums } = series;
  return { ...series, products: [...products], differences: [...differences], sums: [...sums] };
}

/** Adds a block's difference (log scale) and its sampling variance as far as that is known. */
export function pushEffect(series: EffectSeries, difference: number, samplingVariance: number): void {
  const { products, differences } = series;
  differences.push(difference);
  series.count += 1;
  series.sum += difference;
  series.sums.push(series.sum);
  series.samplingVariance += samplingVariance;
  for (let lag = 0; lag < products.length; lag++) {
    products[lag] = (products[lag] ?? 0) + difference * (differences[series.count - 1 - lag] ?? 0);
  }
  // Each lag is made up for once, when the series has grown long enough to need it.
  while (products.length <= lagsOf(series.count)) products.push(productsAt(differences, products.length));
}

function productsAt(differences: readonly number[], lag: number): number {
  let sum = 0;
  for (let i = lag; i < differences.length; i++) sum += (differences[i] ?? 0) * (differences[i - lag] ?? 0);
  return sum;
}

/** How many blocks apart two of `count` may be and still be held to move together. */
function lagsOf(count: number): number {
  return Math.min(maxLag, count - 1, Math.max(1, Math.floor(0.65 * Math.sqrt(count))));
}

/** Mean difference over all blocks; undefined without any. */
export function meanEffect({ count, sum }: EffectSeries): number | undefined {
  return count > 0 ? sum / count : undefined;
}

/** Mean difference of the last quarter of the blocks. */
export function lastQuarterEffect({ count, sum, sums }: EffectSeries): number | undefined {
  const quarter = Math.ceil(count / 4);
  return quarter > 0 ? (sum - (sums[count - quarter - 1] ?? 0)) / quarter : undefined;
}

/**
 * Half the width of the confidence sequence at level 1 − α for the mean difference, on the log scale; undefined
 * before two blocks, unless the first block's sampling variance is known.
 */
export function effectRadius(
  series: EffectSeries,
  alpha: number,
  variance = longRunVariance(series),
): number | undefined {
  return variance > 0 ? Math.sqrt(variance) * meanRadius(series.count, alpha) : undefined;
}

/**
 * Variance of one block's difference, as far as the mean feels it. Newey-West (Bartlett weights) catches blocks
 * that move together. Two floors guard against a lucky estimate from few blocks: half the plain variance, and
 * the mean sampling variance of the quantiles, which chance alone guarantees.
 */
export function longRunVariance(series: EffectSeries): number {
  const { count } = series;
  if (count === 0) return 0;
  const plain = autocovariance(series, 0);
  const lags = lagsOf(count);
  let variance = plain;
  for (let lag = 1; lag <= lags; lag++) {
    variance += 2 * (1 - lag / (lags + 1)) * autocovariance(series, lag);
  }
  const empirical = count > 1 ? (Math.max(variance, plain / 2) * count) / (count - 1) : 0;
  return Math.max(empirical * (1 + smallSample / count), series.samplingVariance / count);
}

/** How much an estimate from J blocks is widened: by 1 + 4/J, which the simulator confirms. */
const smallSample = 4;

/** Autocovariance about the overall mean, as if it had been computed from the whole series at once. */
function autocovariance({ count, sum, products, differences }: EffectSeries, lag: number): number {
  const mean = sum / count;
  let leading = sum;
  let trailing = sum;
  for (let i = 0; i < lag; i++) {
    leading -= differences[count - 1 - i] ?? 0;
    trailing -= differences[i] ?? 0;
  }
  return ((products[lag] ?? 0) - mean * (leading + trailing) + (count - lag) * mean * mean) / count;
}
