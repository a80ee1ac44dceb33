// Frames of histograms, classic or native, in; increases of bucket counts by version and node out.
import type { Buckets } from '@plumbline/verdict';
import type { DataFrame } from '@grafana/data';
import { classicGroups } from './classic.ts';
import { checkFalls } from './counters.ts';
import type { BucketGroup, BucketSeries, Histograms } from './histograms.ts';
import { isNative, nativeGroups } from './native.ts';
import type { Clock, Labels } from './series.ts';

/** Returns the bucket series of a role's frames. */
export function bucketSeries(frames: readonly DataFrame[], clock: Clock): BucketSeries {
  const native = frames.filter(isNative);
  return native.length > 0 ? nativeGroups(native, clock) : classicGroups(frames, clock);
}

/** Returns the layout that all of some roles' histograms have in common; undefined without any. */
export function sharedBuckets(all: readonly BucketSeries[]): Buckets | undefined {
  const layouts = all.flatMap(({ groups }) => groups.map(({ layout }) => layout));
  const [first, ...others] = layouts.filter((layout) => 'has' in layout);
  if (!first) return layouts.length > 0 ? { schema: Math.min(...layouts.map(schemaOf)) } : undefined;
  // Only bounds that every version on every node has: histograms of different layouts meet there.
  const upperBounds =
    others.length + 1 < layouts.length
      ? []
      : [...first]
          .filter((bound) => bound > 0 && bound < Infinity && others.every((bounds) => bounds.has(bound)))
          .sort((a, b) => a - b);
  return upperBounds.length > 0 ? { upperBounds } : undefined;
}

function schemaOf(layout: BucketGroup['layout']): number {
  return 'schema' in layout ? layout.schema : Infinity;
}

/**
 * Returns the bucket increases of each group.
 * @throws NoCounterError as `increasesOf`.
 */
export function histogramsOf(
  { groups }: BucketSeries,
  buckets: Buckets,
  nameOf: (labels: Labels) => string | undefined,
  times: readonly number[],
): ReadonlyMap<string, Histograms> {
  const histograms = new Map<string, Histograms>();
  for (const { labels, increases } of groups) {
    const name = nameOf(labels);
    if (name !== undefined) histograms.set(name, increases(buckets, times));
  }
  checkFalls([...histograms.values()]);
  return histograms;
}
