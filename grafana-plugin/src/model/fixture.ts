// Runs made up for tests and the bench, the same every time. In: what is to be different. Out: what a source observes.
import type { BucketCounts } from '@plumbline/verdict';
import type { Run, RunCell } from './run.ts';

export interface Shape {
  readonly windows?: number;
  readonly nodes?: number;
  readonly requests?: number;
  /** How many times as slow the canary's code is. */
  readonly slower?: number;
  /** How many times as slow everything on the canary's nodes is. */
  readonly noise?: number;
  readonly errors?: { readonly canary: number; readonly baseline: number };
  /** Buckets of each histogram, most of them empty where they are many. */
  readonly buckets?: number;
  /** Windows (by index) that nobody saw. */
  readonly lost?: readonly number[];
}

/** Unix seconds at which every made-up run begins. */
export const runStart = 1_790_000_000;
const windowSeconds = 15;
const schema = 3;

/** Returns a run: baseline on every node, the canary on the first half of them. */
export function madeUpRun(shape: Shape = {}): Run {
  const { windows = 120, nodes = 4, requests = 1500, slower = 1, noise = 1, buckets = 48, lost = [] } = shape;
  const { errors = { canary: 0.001, baseline: 0.001 } } = shape;
  const chance = seeded(7);
  const withCanary = Math.ceil(nodes / 2);
  const cellOf = (node: number, arm: 'canary' | 'baseline'): RunCell => {
    const busy = node < withCanary ? noise : 1;
    const total = Math.round(requests * (0.9 + 0.2 * chance()) * (arm === 'canary' ? 0.5 : 1));
    const median = 0.02 * (arm === 'canary' ? slower : 1);
    const durations = lognormal(total, median * busy, buckets, chance);
    const failed = Math.round(total * errors[arm] * 2 * chance());
    return {
      node: `node-${node + 1}`,
      arm,
      requests: total,
      errors: failed,
      clientErrors: Math.round(total * 0.01),
      durations,
      netDurations: lognormal(total, median, buckets, chance),
      schedDelaySeconds: total * 0.022 * (busy - 1 + 0.02),
      contention: { runqueueP95Seconds: 0.0004 * busy, throttledShare: 0, cpuPressureShare: 0.02 * busy },
      cpuSeconds: total * 0.004,
      memoryBytes: 180e6 + 2e6 * chance(),
      retransmits: Math.round(2 * chance()),
      connectionFailures: 0,
    };
  };
  return {
    app: 'checkout',
    canary: 'v2',
    baseline: 'v1',
    foundBy: 'newest',
    otherVersions: [],
    errorsKnown: true,
    buckets: { schema },
    windowSeconds,
    now: runStart + windows * windowSeconds,
    windows: Array.from({ length: windows }, (_, i) => ({
      end: runStart + (i + 1) * windowSeconds,
      cells: Array.from({ length: nodes }, (_, node) => [
        cellOf(node, 'baseline'),
        ...(node < withCanary ? [cellOf(node, 'canary')] : []),
      ]).flat(),
    })).filter((_, i) => !lost.includes(i)),
    blame:
      noise > 1
        ? [
            { node: 'node-1', arm: 'canary', culprit: 'batch/reports v7', seconds: 412 },
            { node: 'node-1', arm: 'canary', culprit: 'kube-system/other', seconds: 31 },
          ]
        : [],
  };
}

/** Counts of `total` draws around `median` seconds, in so many native buckets. */
function lognormal(total: number, median: number, buckets: number, chance: () => number): BucketCounts {
  const sigma = 0.5;
  const counts: number[] = [];
  const offset = Math.floor(Math.log2(median) * 2 ** schema - buckets / 2);
  // One draw of a smooth shape with noise per bucket: a run of millions of requests has to be quick to make.
  for (let i = 0; i < buckets; i++) {
    const z = (((offset + i - 0.5) / 2 ** schema) * Math.LN2 - Math.log(median)) / sigma;
    const expected =
      (total * Math.exp(-(z ** 2) / 2) * Math.LN2) / 2 ** schema / sigma / Math.sqrt(2 * Math.PI);
    counts.push(
      Math.max(0, Math.round(expected + Math.sqrt(expected) * (chance() + chance() + chance() - 1.5) * 2)),
    );
  }
  return { offset, counts };
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), seed | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
