// A run in; the frames with which Prometheus' data source would answer the panel's queries out. For tests and bench.
import type { DataFrame, Field, FieldType } from '@grafana/data';
import { layoutOf } from '@plumbline/verdict';
import type { BucketCounts, Layout } from '@plumbline/verdict';
import type { Blame, Run, RunCell } from '../model/run.ts';
import type { Role } from './roles.ts';
import type { Labels } from './series.ts';

/** The totals that a run ends in, sampled at its windows' ends and once before. */
export function framesOf(run: Run, format: 'classic' | 'native' = 'classic'): readonly DataFrame[] {
  const times = [(run.windows[0]?.end ?? 0) - run.windowSeconds, ...run.windows.map(({ end }) => end)];
  const form: Form = { times, layout: layoutOf(run.buckets), format, span: spanOf(run) };
  const frames = [...groupsOf(run)].flatMap(([group, cells]) => {
    const [version = '', node = ''] = group.split('\0');
    const labels = { version, node };
    const total = (role: Role, of: (cell: RunCell) => number, code?: string): DataFrame =>
      frame(role, code === undefined ? labels : { ...labels, code }, times, totals(cells, of));
    const gauge = (role: Role, of: (cell: RunCell) => number | undefined): DataFrame =>
      frame(role, labels, times, [NaN, ...Array.from(cells, (cell) => (cell && of(cell)) ?? NaN)]);
    const seconds = (share: number | undefined): number => (share ?? 0) * run.windowSeconds;
    return [
      ...histogram(
        'durations',
        labels,
        Array.from(cells, (cell) => cell?.durations),
        form,
      ),
      ...histogram(
        'net',
        labels,
        Array.from(cells, (cell) => cell?.netDurations),
        form,
      ),
      total('requests', (cell) => cell.requests - cell.errors - (cell.clientErrors ?? 0), '2xx'),
      total('requests', ({ clientErrors = 0 }) => clientErrors, '4xx'),
      total('requests', ({ errors }) => errors, '5xx'),
      total('delay', ({ schedDelaySeconds = 0 }) => schedDelaySeconds),
      total('cpu', ({ cpuSeconds = 0 }) => cpuSeconds),
      total(
        'stolen',
        ({ cpuSeconds = 0, contention: { stealShare = 0 } = {} }) =>
          (cpuSeconds * stealShare) / (1 - stealShare),
      ),
      total('throttled', ({ contention }) => seconds(contention?.throttledShare)),
      total('pressure', ({ contention }) => seconds(contention?.cpuPressureShare)),
      total('retransmits', ({ retransmits = 0 }) => retransmits),
      total('failures', ({ connectionFailures = 0 }) => connectionFailures),
      gauge('memory', ({ memoryBytes }) => memoryBytes),
      gauge('runqueue', ({ contention }) => contention?.runqueueP95Seconds),
    ];
  });
  return [...frames, ...run.blame.map((blame) => blameFrame(run, blame, times))];
}

function blameFrame(run: Run, { node, arm, culprit, seconds }: Blame, times: readonly number[]): DataFrame {
  const [, namespace = '', app = '', version = ''] = /^([^/]*)\/(\S+) ?(.*)$/.exec(culprit) ?? [];
  const labels = { culprit_namespace: namespace, culprit_app: app, culprit_version: version };
  const grown = times.map((_, i) => (seconds * i) / (times.length - 1));
  return frame('blame', { version: run[arm], node, ...labels }, times, grown);
}

/** Returns one series as the data source answers it. */
export function frame(
  refId: string,
  labels: Labels,
  times: readonly number[],
  values: readonly number[],
): DataFrame {
  return {
    refId,
    length: times.length,
    fields: [
      field(
        'Time',
        'time',
        times.map((time) => time * 1000),
      ),
      { ...field('Value', 'number', values), labels: { ...labels } },
    ],
  };
}

/** Returns one field of a frame. */
export function field(name: string, type: `${FieldType}`, values: readonly number[]): Field {
  return { name, type: type as unknown as FieldType, config: {}, values: [...values] };
}

function groupsOf({ windows, canary, baseline }: Run): ReadonlyMap<string, (RunCell | undefined)[]> {
  const groups = new Map<string, (RunCell | undefined)[]>();
  windows.forEach(({ cells }, i) => {
    for (const cell of cells) {
      const version = cell.arm === 'canary' ? canary : baseline;
      const group = groups.get(`${version}\0${cell.node}`) ?? new Array<RunCell | undefined>(windows.length);
      groups.set(`${version}\0${cell.node}`, group);
      group[i] = cell;
    }
  });
  return groups;
}

function totals(cells: readonly (RunCell | undefined)[], of: (cell: RunCell) => number): number[] {
  let sum = 1000;
  return [sum, ...Array.from(cells, (cell) => (sum += cell ? of(cell) : 0))];
}

/** How all histograms of a run are written: as one exporter does, they have the same buckets. */
interface Form {
  readonly times: readonly number[];
  readonly layout: Layout;
  readonly format: 'classic' | 'native';
  /** Bucket indices, lowest first. */
  readonly span: readonly number[];
}

function spanOf({ windows }: Run): readonly number[] {
  let [lowest, highest] = [Infinity, -Infinity];
  for (const { durations, netDurations } of windows.flatMap(({ cells }) => cells)) {
    for (const { offset, counts } of [durations, netDurations].filter((known) => known !== undefined)) {
      lowest = Math.min(lowest, offset);
      highest = Math.max(highest, offset + counts.length - 1);
    }
  }
  return Array.from({ length: Math.max(0, highest - lowest + 1) }, (_, i) => lowest + i);
}

function histogram(
  refId: Role,
  labels: Labels,
  windows: readonly (BucketCounts | undefined)[],
  { times, layout, format, span }: Form,
): readonly DataFrame[] {
  if (windows.every((counts) => counts === undefined)) return [];
  const at = (counts: BucketCounts | undefined, index: number): number =>
    counts?.counts[index - counts.offset] ?? 0;
  const columns = span.map((index) => runningSums(windows.map((counts) => at(counts, index))));
  if (format === 'native') return [nativeFrame(refId, labels, times, span, columns, layout)];
  const below = times.map(() => 0);
  const classic = columns.map((column, i) => {
    column.forEach((value, time) => (below[time] = (below[time] ?? 0) + value));
    return frame(refId, { ...labels, le: String(Math.exp(layout.lnUpper(span[i] ?? 0))) }, times, below);
  });
  const lowest = frame(
    refId,
    { ...labels, le: String(Math.exp(layout.lnLower(span[0] ?? 0))) },
    times,
    times.map(() => 0),
  );
  return [lowest, ...classic, frame(refId, { ...labels, le: '+Inf' }, times, below)];
}

function nativeFrame(
  refId: string,
  labels: Labels,
  times: readonly number[],
  indices: readonly number[],
  columns: readonly (readonly number[])[],
  layout: Layout,
): DataFrame {
  const cells = times.flatMap((time, i) =>
    indices.flatMap((index, column): HeatmapCell[] => {
      const count = columns[column]?.[i] ?? 0;
      return count > 0
        ? [[time, Math.exp(layout.lnLower(index)), Math.exp(layout.lnUpper(index)), count]]
        : [];
    }),
  );
  return heatmapFrame(refId, labels, cells);
}

/** A bucket of a native histogram at a moment (Unix seconds), with its bounds and what is in it. */
export type HeatmapCell = readonly [time: number, lower: number, upper: number, count: number];

/** Returns one native histogram as the data source answers it: a row for each bucket of each moment. */
export function heatmapFrame(refId: string, labels: Labels, cells: readonly HeatmapCell[]): DataFrame {
  const column = (of: (cell: HeatmapCell) => number): number[] => cells.map(of);
  return {
    refId,
    length: cells.length,
    meta: { type: 'heatmap-cells' as never },
    fields: [
      field(
        'xMax',
        'time',
        column(([time]) => time * 1000),
      ),
      {
        ...field(
          'yMin',
          'number',
          column(([, lower]) => lower),
        ),
        labels: { ...labels },
      },
      field(
        'yMax',
        'number',
        column(([, , upper]) => upper),
      ),
      field(
        'count',
        'number',
        column(([, , , count]) => count),
      ),
      field(
        'yLayout',
        'number',
        column(() => 0),
      ),
    ],
  };
}

function runningSums(increases: readonly number[]): number[] {
  let sum = 5;
  return [sum, ...increases.map((increase) => (sum += increase))];
}
