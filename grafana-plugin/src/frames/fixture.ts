// A run in; the frames with which Prometheus' data source would answer the panel's queries out. For tests and bench.
import type { DataFrame, Field, FieldType } from '@grafana/data';
import { layoutOf } from '@plumbline/verdict';
import type { BucketCounts, Layout } from '@plumbline/verdict';
import type { Run, RunCell } from '../model/run.ts';
import type { Role } from './roles.ts';
import type { Labels } from './series.ts';

/** The totals that a run ends in, sampled at its windows' ends and once before. */
export function framesOf(run: Run, format: 'classic' | 'native' = 'classic'): readonly DataFrame[] {
  const times = [(run.windows[0]?.end ?? 0) - run.windowSeconds, ...run.windows.map(({ end }) => end)];
  const layout = layoutOf(run.buckets);
  const groups = groupsOf(run);
  const total = (role: Role, labels: Labels, of: (cell: RunCell) => number): DataFrame =>
    frame(role, labels, times, totals(groups.get(`${labels.version ?? ''}\0${labels.node ?? ''}`) ?? [], of));
  return [...groups.keys()]
    .flatMap((group) => {
      const [version = '', node = ''] = group.split('\0');
      const labels = { version, node };
      const cells = groups.get(group) ?? [];
      return [
        ...histogram(
          'durations',
          labels,
          times,
          cells.map((cell) => cell?.durations),
          layout,
          format,
        ),
        ...histogram(
          'net',
          labels,
          times,
          cells.map((cell) => cell?.netDurations),
          layout,
          format,
        ),
        total(
          'requests',
          { ...labels, code: '2xx' },
          (cell) => cell.requests - cell.errors - (cell.clientErrors ?? 0),
        ),
        total('requests', { ...labels, code: '4xx' }, ({ clientErrors = 0 }) => clientErrors),
        total('requests', { ...labels, code: '5xx' }, ({ errors }) => errors),
        total('delay', labels, ({ schedDelaySeconds = 0 }) => schedDelaySeconds),
        total('cpu', labels, ({ cpuSeconds = 0 }) => cpuSeconds),
        total('throttled', labels, ({ contention }) => (contention?.throttledShare ?? 0) * run.windowSeconds),
        total(
          'pressure',
          labels,
          ({ contention }) => (contention?.cpuPressureShare ?? 0) * run.windowSeconds,
        ),
        total('retransmits', labels, ({ retransmits = 0 }) => retransmits),
        total('failures', labels, ({ connectionFailures = 0 }) => connectionFailures),
        frame('memory', labels, times, [NaN, ...cells.map((cell) => cell?.memoryBytes ?? NaN)]),
        frame('runqueue', labels, times, [
          NaN,
          ...cells.map((cell) => cell?.contention?.runqueueP95Seconds ?? NaN),
        ]),
      ];
    })
    .concat(
      run.blame.map(({ node, arm, culprit, seconds }) => {
        const [, namespace = '', app = '', version = ''] = /^([^/]*)\/(\S+) ?(.*)$/.exec(culprit) ?? [];
        return frame(
          'blame',
          {
            version: run[arm],
            node,
            culprit_namespace: namespace,
            culprit_app: app,
            culprit_version: version,
          },
          times,
          times.map((_, i) => (seconds * i) / (times.length - 1)),
        );
      }),
    );
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

function field(name: string, type: `${FieldType}`, values: readonly number[]): Field {
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

function histogram(
  refId: Role,
  labels: Labels,
  times: readonly number[],
  windows: readonly (BucketCounts | undefined)[],
  layout: Layout,
  format: 'classic' | 'native',
): readonly DataFrame[] {
  const known = windows.filter((counts) => counts !== undefined);
  if (known.length === 0) return [];
  const lowest = Math.min(...known.map(({ offset }) => offset));
  const highest = Math.max(...known.map(({ offset, counts }) => offset + counts.length)) - 1;
  const indices = Array.from({ length: highest - lowest + 1 }, (_, i) => lowest + i);
  const at = (counts: BucketCounts | undefined, index: number): number =>
    counts?.counts[index - counts.offset] ?? 0;
  const columns = indices.map((index) => runningSums(windows.map((counts) => at(counts, index))));
  if (format === 'native') return [nativeFrame(refId, labels, times, indices, columns, layout)];
  const below = times.map(() => 0);
  const classic = columns.map((column, i) => {
    column.forEach((value, time) => (below[time] = (below[time] ?? 0) + value));
    return frame(refId, { ...labels, le: String(Math.exp(layout.lnUpper(indices[i] ?? 0))) }, times, below);
  });
  const first = frame(
    refId,
    { ...labels, le: String(Math.exp(layout.lnLower(lowest))) },
    times,
    times.map(() => 0),
  );
  return [first, ...classic, frame(refId, { ...labels, le: '+Inf' }, times, below)];
}

function nativeFrame(
  refId: string,
  labels: Labels,
  times: readonly number[],
  indices: readonly number[],
  columns: readonly (readonly number[])[],
  layout: Layout,
): DataFrame {
  const rows = times.flatMap((time, i) =>
    indices.flatMap((index, column) => {
      const count = columns[column]?.[i] ?? 0;
      return count > 0
        ? [[time * 1000, Math.exp(layout.lnLower(index)), Math.exp(layout.lnUpper(index)), count]]
        : [];
    }),
  );
  const column = (at: number): number[] => rows.map((row) => row[at] ?? NaN);
  return {
    refId,
    length: rows.length,
    meta: { type: 'heatmap-cells' as never },
    fields: [
      field('xMax', 'time', column(0)),
      { ...field('yMin', 'number', column(1)), labels: { ...labels } },
      field('yMax', 'number', column(2)),
      field('count', 'number', column(3)),
      field(
        'yLayout',
        'number',
        rows.map(() => 0),
      ),
    ],
  };
}

function runningSums(increases: readonly number[]): number[] {
  let sum = 5;
  return [sum, ...increases.map((increase) => (sum += increase))];
}
