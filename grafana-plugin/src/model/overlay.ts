// Points (or quantiles that somebody else computed) in; one quantile of both arms over time out.
import { quantile } from '@plumbline/verdict';
import type { Histogram, Layout } from '@plumbline/verdict';
import type { Overlay } from './model.ts';
import type { Point } from './points.ts';
import type { QuantileSeries, Run } from './run.ts';

/** Returns quantile `p` of both arms at each point; null where an arm had no requests. */
export function overlayOf(points: readonly Point[], layout: Layout, p: number): Overlay {
  return {
    metric: quantileName(p),
    times: points.map(({ end }) => end),
    canary: points.map(({ arms }) => arms && secondsAt(arms.canary.durations, layout, p)),
    baseline: points.map(({ arms }) => arms && secondsAt(arms.baseline.durations, layout, p)),
  };
}

/** Returns the overlay of given quantile series: the wanted one, or else the highest that both arms have. */
export function givenOverlay({ quantiles = [] }: Run, p: number): Overlay | null {
  const pairs = quantiles.flatMap((canary) => {
    const baseline = quantiles.find((other) => other.arm === 'baseline' && other.p === canary.p);
    return canary.arm === 'canary' && baseline ? [{ canary, baseline }] : [];
  });
  const pair = pairs.find(({ canary }) => canary.p === p) ?? pairs.sort((a, b) => b.canary.p - a.canary.p)[0];
  if (!pair) return null;
  const times = [...new Set([...pair.canary.times, ...pair.baseline.times])].sort((a, b) => a - b);
  return {
    metric: quantileName(pair.canary.p),
    times,
    canary: valuesAt(pair.canary, times),
    baseline: valuesAt(pair.baseline, times),
  };
}

/** Quantile `p` of a histogram in seconds, or null without observations. */
export function secondsAt(histogram: Histogram, layout: Layout, p: number): number | null {
  const found = quantile(histogram, layout, p);
  return found && Number.isFinite(found.ln) ? Math.exp(found.ln) : null;
}

/** `p99` for 0.99, as the judge names its metrics. */
export function quantileName(p: number): string {
  return `p${String(p).slice(2).padEnd(2, '0')}`;
}

/** 0.99 for `p99`. */
export function quantileOf(name: string): number {
  return Number(`0.${name.slice(1)}`);
}

function valuesAt({ times, values }: QuantileSeries, wanted: readonly number[]): (number | null)[] {
  const valueByTime = new Map(times.map((time, i) => [time, values[i] ?? null]));
  return wanted.map((time) => valueByTime.get(time) ?? null);
}
