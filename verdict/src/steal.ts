// A histogram and a share of CPU time in; how slow its requests would have been, had a host taken that, at worst, out.
import type { Layout } from './buckets.ts';
import type { Histogram } from './histogram.ts';

/** A smaller difference between two versions' stolen shares moves a p99 by less than 5 %. */
const unremarkable = 0.001;
/** Nobody can say what is left of a service that gets less than a tenth of its CPU. */
const mostShare = 0.9;
/** Seconds for which a host keeps a CPU from its guest at a time: a slice of its scheduler, or the rest of a quota's period. */
const bursts = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128];
/** What comes in bursts of a smaller part of the quantile than this is spread so evenly that their length is all the same. */
const smallestPart = 1 / 16;

/** How much more of the first one's CPU time was stolen than of the second one's, by share; 0 where it is nothing to speak of. */
export function excessSteal(of: Histogram, over: Histogram): number {
  const excess = stolenShare(of) - stolenShare(over);
  return excess < unremarkable ? 0 : Math.min(excess, mostShare);
}

function stolenShare({ stolen, total }: Histogram): number {
  return stolen > 0 ? stolen / total : 0;
}

/**
 * How much higher (log scale) the `p` quantile `ln` of `histogram` would have been if a host had taken `share` of its
 * CPU time, in bursts of the length that hurts most. Nobody in a guest sees the bursts, only their sum. A request of x
 * seconds that runs all the time meets them as chance has it: Poisson, share/(1 − share)·x of them by time; and `share`
 * of the requests come while one is under way, and wait for its rest.
 */
export function slackOfSteal(
  histogram: Histogram,
  layout: Layout,
  p: number,
  ln: number,
  share: number,
): number {
  const seconds = Math.exp(ln);
  const lengths = bursts.filter((length) => length >= smallestPart * seconds);
  const least = bursts.at(-1) ?? 0;
  const stations = stationsOf(histogram, layout);
  let slack = 0;
  for (const length of lengths.length > 0 ? lengths : [least]) {
    // Most lengths hurt less than one before.
    if (shareBeyond(stations, seconds * Math.exp(slack), length, share) <= 1 - p) continue;
    let [low, high] = [slack, Math.log1p((8 * length) / seconds / (1 - share) + share / (1 - share))];
    high = Math.max(high, low);
    for (let i = 0; i < 10; i++) {
      const middle = (low + high) / 2;
      if (shareBeyond(stations, seconds * Math.exp(middle), length, share) > 1 - p) low = middle;
      else high = middle;
    }
    slack = high;
  }
  return slack;
}

/** Durations that requests have, in seconds, with the share of requests that have each. */
interface Stations {
  readonly seconds: readonly number[];
  readonly shares: readonly number[];
}

function stationsOf({ lowest, weights, total }: Histogram, layout: Layout): Stations {
  const seconds: number[] = [];
  const shares: number[] = [];
  weights.forEach((weight, i) => {
    if (weight <= 0) return;
    seconds.push(layout.middleSeconds(lowest + i));
    shares.push(weight / total);
  });
  return { seconds, shares };
}

/** Share of requests that would have taken longer than `limit`, with `share` stolen in bursts of `length`. */
function shareBeyond({ seconds, shares }: Stations, limit: number, length: number, share: number): number {
  const rate = share / (1 - share) / length;
  let beyond = 0;
  for (let i = 0; i < seconds.length; i++) {
    const own = seconds[i] ?? 0;
    beyond += (shares[i] ?? 0) * (own > limit ? 1 : chanceBeyond((limit - own) / length, rate * own, share));
  }
  return beyond;
}

/** Chance that a Poisson number of bursts of mean `mean`, with the rest of one for `share` of requests, are more than `room`. */
function chanceBeyond(room: number, mean: number, share: number): number {
  const whole = Math.floor(room);
  let term = Math.exp(-mean);
  let upTo = term;
  for (let k = 1; k <= whole; k++) {
    term *= mean / k;
    upTo += term;
  }
  return Math.max(0, 1 - upTo) + share * term * (1 - (room - whole));
}
