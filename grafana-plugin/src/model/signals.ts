// Sums of both arms and the verdict in; the table of signals, each with its own word, out.
import { sumSeconds } from '@plumbline/verdict';
import type { Layout, MetricVerdict, Verdict } from '@plumbline/verdict';
import type { ByArm, SignalRow } from './model.ts';
import { quantileName, secondsAt } from './overlay.ts';
import type { OptionalFigure, Point, Sums } from './points.ts';
import type { Run, RunWindow } from './run.ts';

/** Returns the rows that have something to show. */
export function signalRows(
  run: Run,
  points: readonly Point[],
  totals: ByArm<Sums>,
  layout: Layout,
  verdict: Verdict | null,
): readonly SignalRow[] {
  const seconds = points.reduce((sum, point) => sum + point.seconds, 0);
  const measures = [...latencies(layout), ...counts, ...optionals(layout)];
  const rows = measures.map((measure) => {
    const { read, seen, ...row } = measure;
    if (points.length === 0) return undefined;
    if (seen && totals.canary[seen] === undefined && totals.baseline[seen] === undefined) return undefined;
    const of = (arms: ByArm<Sums>, over: number): ByArm<number | null> => ({
      canary: read(arms.canary, over, arms.baseline),
      baseline: read(arms.baseline, over, arms.canary),
    });
    const course = points.map(({ arms, seconds: over }) => arms && of(arms, over));
    return withDelta({
      ...row,
      ...of(totals, seconds),
      state: stateOf(row.id, verdict),
      adjusted: verdict?.metrics.find(({ metric }) => metric === row.id)?.relative ?? null,
      sparkline: {
        canary: course.map((moment) => moment?.canary ?? null),
        baseline: course.map((moment) => moment?.baseline ?? null),
      },
    });
  });
  return [...rows.filter((row) => row !== undefined), ...customRows(run, points, verdict)];
}

interface Measure extends Pick<SignalRow, 'id' | 'label' | 'unit' | 'deltaUnit' | 'better'> {
  /** Left out where neither arm has this figure. */
  readonly seen?: OptionalFigure;
  /** The figure of one arm over `seconds`, beside the other arm. */
  readonly read: (sums: Sums, seconds: number, other: Sums) => number | null;
}

/** Quantiles of the table. */
export const shownQuantiles = [0.5, 0.9, 0.95, 0.99] as const;

function latencies(layout: Layout): readonly Measure[] {
  return shownQuantiles.map((p) => ({
    id: quantileName(p),
    label: quantileName(p),
    unit: 'seconds',
    deltaUnit: 'relative',
    better: 'lower',
    read: ({ durations }) => secondsAt(durations, layout, p),
  }));
}

const counts: readonly Measure[] = [
  {
    id: 'errors',
    label: 'Errors (5xx)',
    unit: 'share',
    deltaUnit: 'points',
    better: 'lower',
    read: ({ errors, requests }) => ratio(errors, requests),
  },
  {
    id: 'clientErrors',
    label: 'Client errors (4xx)',
    unit: 'share',
    deltaUnit: 'points',
    better: 'neither',
    seen: 'clientErrors',
    read: ({ clientErrors, requests }) => ratio(clientErrors, requests),
  },
  {
    id: 'rate',
    label: 'Request rate',
    unit: 'perSecond',
    deltaUnit: 'relative',
    better: 'neither',
    read: ({ requests }, seconds) => ratio(requests, seconds),
  },
  {
    id: 'share',
    label: 'Traffic share',
    unit: 'share',
    deltaUnit: 'points',
    better: 'neither',
    read: ({ requests }, _, other) => ratio(requests, requests + other.requests),
  },
];

function optionals(layout: Layout): readonly Measure[] {
  return [
    {
      id: 'cpu',
      label: 'CPU per request',
      unit: 'seconds',
      deltaUnit: 'relative',
      better: 'lower',
      seen: 'cpuSeconds',
      read: ({ cpuSeconds, requests }) => ratio(cpuSeconds, requests),
    },
    {
      id: 'memory',
      label: 'Memory per node',
      unit: 'bytes',
      deltaUnit: 'relative',
      better: 'lower',
      seen: 'memoryBytes',
      read: ({ memoryBytes, memoryCells }) => ratio(memoryBytes, memoryCells),
    },
    {
      id: 'schedDelay',
      label: 'Waiting for a CPU',
      unit: 'share',
      deltaUnit: 'points',
      better: 'neither',
      seen: 'schedDelaySeconds',
      read: (sums) => schedDelayShare(sums, layout),
    },
    {
      id: 'retransmits',
      label: 'TCP retransmits',
      unit: 'perThousand',
      deltaUnit: 'relative',
      better: 'lower',
      seen: 'retransmits',
      read: ({ retransmits, requests }) => ratio(perThousand(retransmits), requests),
    },
    {
      id: 'failures',
      label: 'Failed connections',
      unit: 'perThousand',
      deltaUnit: 'relative',
      better: 'lower',
      seen: 'connectionFailures',
      read: ({ connectionFailures, requests }) => ratio(perThousand(connectionFailures), requests),
    },
  ];
}

/** Time spent waiting for a CPU, of all time spent on requests (taken at the middle of each bucket). */
export function schedDelayShare({ schedDelaySeconds, durations }: Sums, layout: Layout): number | null {
  if (schedDelaySeconds === undefined) return null;
  const seconds = sumSeconds(durations, layout);
  return seconds > 0 ? Math.min(1, schedDelaySeconds / seconds) : null;
}

function customRows(run: Run, points: readonly Point[], verdict: Verdict | null): readonly SignalRow[] {
  const known = new Map(
    run.windows.flatMap(({ signals = [] }) => signals.map((signal) => [signal.name, signal] as const)),
  );
  return [...known.values()].map(({ name, kind, better }) =>
    withDelta({
      id: name,
      label: name,
      unit: kind === 'ratio' ? 'share' : 'number',
      deltaUnit: kind === 'ratio' ? 'points' : 'relative',
      better,
      ...customValue(run.windows, name),
      adjusted: null,
      state: verdict?.metrics.find(({ metric }) => metric === name)?.state ?? 'not-judged',
      sparkline: {
        canary: points.map(({ windows }) => customValue(windows, name).canary),
        baseline: points.map(({ windows }) => customValue(windows, name).baseline),
      },
    }),
  );
}

function customValue(windows: readonly RunWindow[], name: string): ByArm<number | null> {
  const sums = { canary: { above: 0, below: 0 }, baseline: { above: 0, below: 0 } };
  for (const { signals = [] } of windows) {
    for (const { arm, numerator, denominator } of signals.find((signal) => signal.name === name)?.cells ??
      []) {
      sums[arm].above += numerator;
      sums[arm].below += denominator;
    }
  }
  return {
    canary: ratio(sums.canary.above, sums.canary.below),
    baseline: ratio(sums.baseline.above, sums.baseline.below),
  };
}

function withDelta(row: Omit<SignalRow, 'delta'>): SignalRow {
  const { canary, baseline, deltaUnit } = row;
  if (canary === null || baseline === null) return { ...row, delta: null };
  if (deltaUnit === 'points') return { ...row, delta: canary - baseline };
  return { ...row, delta: baseline > 0 ? canary / baseline - 1 : null };
}

function stateOf(id: string, verdict: Verdict | null): MetricVerdict['state'] | 'not-judged' {
  if (!verdict) return 'not-judged';
  const { reasons, metrics } = verdict;
  if (id === 'errors') {
    if (reasons.includes('ERRORS_WORSE')) return 'worse';
    return reasons.includes('NOT_INFERIOR') ? 'not-inferior' : 'undecided';
  }
  if (id === 'share') return reasons.includes('TRAFFIC_SHARE_UNEXPECTED') ? 'suspect' : 'not-judged';
  return metrics.find(({ metric }) => metric === id)?.state ?? 'not-judged';
}

function perThousand(count: number | undefined): number | undefined {
  return count === undefined ? undefined : 1000 * count;
}

function ratio(above: number | undefined, below: number): number | null {
  return below > 0 && above !== undefined ? above / below : null;
}
