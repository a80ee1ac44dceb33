// In: cumulative histograms and counters by step, as Prometheus has stored them. Out: increases by window. Pure.
import type { BucketCounts } from '@plumbline/verdict';
import type { Steps } from './prometheus.ts';

/** Cumulative counts of one histogram at one moment, bucket by bucket (not summed up). */
export interface Reading {
  readonly offset: number;
  readonly counts: readonly number[];
}

/** What one group (a version on a node) has at each step; undefined where nothing was stored. */
export type Readings = readonly (Reading | undefined)[];

/** How many steps there are, the first included. */
export const stepCount = ({ begin, end, seconds }: Steps): number => Math.round((end - begin) / seconds) + 1;

/** The step that a timestamp belongs to. */
export const stepOf = ({ begin, seconds }: Steps, unixSeconds: number): number =>
  Math.round((unixSeconds - begin) / seconds);

/**
 * Increase over the window that ends at `step`; undefined where it is not known. A group that is new counts from
 * zero if its node was seen before (`wasNodeSeen`), otherwise from what it had when it was first seen. Where any
 * bucket has fallen, a counter has started again or a series has gone: that window is left out, because what it lost
 * cannot be known, and is counted as a reset.
 */
export const histogramIncrease = (
  readings: Readings,
  step: number,
  wasNodeSeen: boolean,
): BucketCounts | 'reset' | undefined => {
  const now = readings[step];
  const before = readings[step - 1] ?? (wasNodeSeen ? nothing : undefined);
  if (now === undefined || before === undefined) return undefined;
  const offset = Math.min(now.offset, before.counts.length > 0 ? before.offset : now.offset);
  const end = Math.max(now.offset + now.counts.length, before.offset + before.counts.length);
  const counts: number[] = [];
  for (let bucket = offset; bucket < end; bucket++) {
    const increase = (now.counts[bucket - now.offset] ?? 0) - (before.counts[bucket - before.offset] ?? 0);
    if (increase < 0) return 'reset';
    counts.push(Math.round(increase));
  }
  return { offset, counts };
};

const nothing: Reading = { offset: 0, counts: [] };

/** Increase of a counter; a counter that is not there has not counted yet, and one that fell has counted nothing. */
export const counterIncrease = (values: Float64Array | undefined, step: number): number => {
  const now = values?.[step] ?? NaN;
  const before = values?.[step - 1] ?? NaN;
  if (Number.isNaN(now)) return 0;
  return Math.max(0, now - (Number.isNaN(before) ? 0 : before));
};
