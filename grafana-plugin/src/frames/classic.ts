// Frames of classic histograms in, a series for each bound; their groups, a version on a node each, out.
import type { Buckets } from '@plumbline/verdict';
import type { DataFrame } from '@grafana/data';
import { histogramsIn } from './histograms.ts';
import type { BucketSeries, Histograms, Rows } from './histograms.ts';
import { groupsOf, isWhole, NoCounterError, notCountText, readTotals } from './counters.ts';
import type { Group } from './counters.ts';
import { createScratch, seriesOf } from './series.ts';
import type { Clock, Series } from './series.ts';

/** The series of one version on one node, by upper bound in seconds; ∞ for that of all. */
type Classic = Group<number, Series>;

/** Returns the histograms of frames in which each bucket counts what is in the lower ones as well. */
export function classicGroups(frames: readonly DataFrame[], clock: Clock): BucketSeries {
  // A few hundred bounds come back in ten thousand series.
  const boundByLe = new Map<string | undefined, number | undefined>();
  const boundOf = ({ labels: { le } }: Series): number | undefined => {
    const known = boundByLe.get(le);
    if (known !== undefined) return known;
    const bound = parseBound(le);
    boundByLe.set(le, bound);
    return bound;
  };
  const all = seriesOf(frames, clock);
  const groups = groupsOf(all, boundOf);
  const read = groups.reduce((sum, { members }) => sum + members.size, 0);
  const series = read === all.length ? all : all.filter((one) => boundOf(one) !== undefined);
  return {
    series,
    groups: groups.map((group) => ({
      labels: group.labels,
      layout: new Set(group.members.keys()),
      increases: (buckets, times) => increasesOf(group, buckets, times),
    })),
    wrongLe: all.length - series.length,
  };
}

function parseBound(le: string | undefined): number | undefined {
  if (le === '+Inf' || le === 'Inf') return Infinity;
  const bound = Number(le?.trim() === '' ? NaN : le);
  return Number.isFinite(bound) ? bound : undefined;
}

/** One group's totals are needed only until they are histograms. */
const totalsScratch = createScratch();

function increasesOf({ members, twice }: Classic, buckets: Buckets, times: readonly number[]): Histograms {
  const bounds = 'upperBounds' in buckets ? buckets.upperBounds : [];
  // Without +Inf the rest above the last bound is not known, and taken as none.
  const placed = [...bounds, Infinity].flatMap((bound) => members.get(bound) ?? []);
  const { length } = times;
  const totals = totalsScratch((placed.length + 1) * length);
  // Nothing lies below the lowest bucket: a row of zeros stands for it.
  totals.fill(0, 0, length);
  const state = readTotals(totals.subarray(length), placed, times, twice);
  return histogramsIn(rowsOf(totals, placed.length, length), state);
}

/** Most buckets of a fine layout stay empty: what lies outside of those that count is left out. */
function rowsOf(totals: Float64Array, buckets: number, length: number): Rows {
  let [first, last] = [Infinity, -1];
  for (let bucket = 0; bucket < buckets; bucket++) {
    if (rests(totals, bucket, length)) continue;
    first = Math.min(first, bucket);
    last = bucket;
  }
  const width = Math.max(0, last - first + 1);
  const increases = new Float64Array(width * length);
  let place = width;
  for (let window = 1; window < length; window++) {
    let row = first * length + window;
    let below = width > 0 ? (totals[row] ?? 0) - (totals[row - 1] ?? 0) : 0;
    for (let column = 0; column < width; column++) {
      row += length;
      const grown = (totals[row] ?? 0) - (totals[row - 1] ?? 0);
      increases[place++] = grown - below;
      below = grown;
    }
  }
  return { increases, width, offset: width > 0 ? first : 0 };
}

/** Whether a bucket, less those below, has the same total at every moment. */
function rests(totals: Float64Array, bucket: number, length: number): boolean {
  const below = bucket * length;
  const own = below + length;
  const total = (totals[own] ?? 0) - (totals[below] ?? 0);
  if (!isWhole(total)) throw new NoCounterError(notCountText(total));
  for (let i = 1; i < length; i++) {
    if ((totals[own + i] ?? 0) - (totals[below + i] ?? 0) !== total) return false;
  }
  return true;
}
