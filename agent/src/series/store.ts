// In: snapshots of kernel maps. Out: series that only go up, by workload and labels, whatever bpftrace does.
import type { MapValues } from '../bpftrace/parse.ts';
import type { Snapshot } from '../bpftrace/run.ts';
import type { CounterDefinition, HistogramDefinition } from '../probes/probe.ts';
import type { Workload } from '../workloads/workload.ts';
import { createBlame } from './blame.ts';
import { bucketCount } from './native.ts';

interface Series {
  readonly workload: Workload;
  /** The workload's and the metric's own labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** Unix ms: it has counted from zero since. */
  readonly createdMs: number;
}

export interface HistogramSeries extends Series {
  /** Observations by kernel bucket. */
  readonly counts: Float64Array;
  sumSeconds: number;
}

export interface CounterSeries extends Series {
  value: number;
  /** Of a metric with culprits: whose doing it is. */
  readonly culprit?: Workload;
}

export interface HistogramMetric {
  readonly kind: 'histogram';
  readonly definition: HistogramDefinition;
  readonly series: Map<string, HistogramSeries>;
}

export interface CounterMetric {
  readonly kind: 'counter' | 'gauge';
  readonly definition: CounterDefinition;
  readonly series: Map<string, CounterSeries>;
}

export interface Store {
  readonly metrics: readonly (HistogramMetric | CounterMetric)[];
  /** The ids of cgroups whose values have grown since the last snapshot that was applied. */
  movedCgroups(snapshot: Snapshot): ReadonlySet<string>;
  /** Adds what has come since the last snapshot to the series of each cgroup's workload. */
  apply(snapshot: Snapshot, workloadOf: (cgroupId: string) => Workload): void;
  /** Drops the series of workloads that have not moved since `sinceMs` (Unix ms) and that `isAlive` denies. */
  evict(isAlive: (workload: Workload) => boolean, sinceMs: number): number;
}

interface Growth {
  readonly map: string;
  readonly key: string;
  readonly by: number;
}

/** A store without series yet. Values of a snapshot count from the start of its run of bpftrace. */
export const createStore = (
  definitions: readonly (HistogramDefinition | CounterDefinition)[],
  now: () => number = Date.now,
): Store => {
  const parts = metricsOf(definitions);
  const feeds = feedsByMap(parts, now);
  const gauges = gaugesOf(parts, now);
  const metrics = [...new Map(parts.map((part) => [part.definition.name, part])).values()];
  const movedMs = new Map<string, number>();
  const culpritMaps = new Set(definitions.flatMap((one) => ('hasCulprit' in one ? [one.map] : [])));
  const levels = new Set(gauges.map(({ map }) => map));
  const last = new Map<string, { readonly run: number; readonly values: MapValues }>();

  const growthsOf = ({ run, maps }: Snapshot): readonly Growth[] => {
    const growths: Growth[] = [];
    for (const map of [...feeds.keys(), ...levels]) {
      const values = maps.get(map);
      if (values === undefined) continue;
      const before = last.get(map);
      const isLevel = levels.has(map);
      const from = isLevel || before?.run === run ? before?.values : undefined;
      for (const [key, to] of values) {
        const by = to - (from?.get(key) ?? 0);
        if (by > 0 || (isLevel && by < 0)) growths.push({ map, key, by });
      }
      if (!isLevel) continue;
      for (const [key, was] of from ?? []) if (!values.has(key)) growths.push({ map, key, by: -was });
    }
    return growths;
  };

  /** By whose each key is now: what is named late, or forgotten, moves. Whoever holds something is not gone. */
  const setGauges = ({ maps }: Snapshot, workloadOf: (cgroupId: string) => Workload): void => {
    for (const { map, scale, series, find } of gauges) {
      const values = maps.get(map);
      if (values === undefined) continue;
      for (const one of series.values()) one.value = 0;
      for (const [key, value] of values) {
        if (value === 0) continue;
        const [cgroupId = '', ...fields] = key.split(',');
        const workload = workloadOf(cgroupId);
        movedMs.set(workloadKey(workload), now());
        find(workload, fields).value += value * scale;
      }
    }
  };

  return {
    metrics,
    movedCgroups: (snapshot) =>
      new Set(growthsOf(snapshot).flatMap(({ map, key }) => key.split(',', culpritMaps.has(map) ? 2 : 1))),
    apply: (snapshot, workloadOf) => {
      for (const { map, key, by } of growthsOf(snapshot)) {
        const [cgroupId = '', ...fields] = key.split(',');
        const workload = workloadOf(cgroupId);
        movedMs.set(workloadKey(workload), now());
        for (const feed of feeds.get(map) ?? []) feed(workload, fields, by, workloadOf);
      }
      setGauges(snapshot, workloadOf);
      for (const [map, values] of snapshot.maps)
        if (feeds.has(map) || levels.has(map)) last.set(map, { run: snapshot.run, values });
    },
    evict: (isAlive, sinceMs) => {
      let evicted = 0;
      const isGone = ({ workload }: Series) =>
        (movedMs.get(workloadKey(workload)) ?? 0) < sinceMs && !isAlive(workload);
      for (const { series } of metrics) {
        for (const [key, one] of series) if (isGone(one) && series.delete(key)) evicted++;
      }
      // Whoever has no time has not moved since.
      for (const [key, ms] of movedMs) if (ms < sinceMs) movedMs.delete(key);
      return evicted;
    },
  };
};

/** One for each definition; those of one name, from several probes, share their series. */
const metricsOf = (
  definitions: readonly (HistogramDefinition | CounterDefinition)[],
): readonly (HistogramMetric | CounterMetric)[] => {
  const histograms = new Map<string, Map<string, HistogramSeries>>();
  const counters = new Map<string, Map<string, CounterSeries>>();
  return definitions.map((definition) =>
    definition.kind === 'histogram'
      ? { kind: 'histogram', definition, series: seriesOf(histograms, definition.name) }
      : { kind: definition.kind, definition, series: seriesOf(counters, definition.name) },
  );
};

const seriesOf = <Found>(seriesByName: Map<string, Map<string, Found>>, name: string): Map<string, Found> => {
  const series = seriesByName.get(name) ?? new Map<string, Found>();
  seriesByName.set(name, series);
  return series;
};

type Feed = (
  workload: Workload,
  fields: readonly string[],
  by: number,
  workloadOf: (cgroupId: string) => Workload,
) => void;

interface Gauge {
  readonly map: string;
  readonly scale: number;
  readonly series: ReadonlyMap<string, CounterSeries>;
  readonly find: (workload: Workload, fields: readonly string[]) => CounterSeries;
}

/** Those that are what is in their map, and not what has been added to it. */
const gaugesOf = (
  metrics: readonly (HistogramMetric | CounterMetric)[],
  now: () => number,
): readonly Gauge[] =>
  metrics.flatMap((metric) => {
    if (metric.kind !== 'gauge') return [];
    const { definition, series } = metric;
    const find = finder(definition, series, now, (created) => ({ ...created, value: 0 }));
    return [{ map: definition.map, scale: definition.scale, series, find }];
  });

/** What each map of the kernel adds to; one map may feed several metrics. */
const feedsByMap = (
  metrics: readonly (HistogramMetric | CounterMetric)[],
  now: () => number,
): ReadonlyMap<string, readonly Feed[]> => {
  const feeds = new Map<string, Feed[]>();
  const feed = (map: string, add: Feed) => feeds.set(map, [...(feeds.get(map) ?? []), add]);
  for (const metric of metrics) {
    if (metric.kind === 'gauge') continue;
    if (metric.kind !== 'histogram') {
      if (metric.definition.hasCulprit) {
        const blame = createBlame(metric, now);
        feed(metric.definition.map, (victim, [culpritId = ''], by, workloadOf) => {
          blame(victim, culpritId, by, workloadOf);
        });
        continue;
      }
      const find = finder(metric.definition, metric.series, now, (series) => ({ ...series, value: 0 }));
      feed(metric.definition.map, (workload, fields, by) => {
        find(workload, fields).value += by * metric.definition.scale;
      });
      continue;
    }
    const find = finder(metric.definition, metric.series, now, (series) => ({
      ...series,
      counts: new Float64Array(bucketCount),
      sumSeconds: 0,
    }));
    for (const map of metric.definition.buckets) {
      feed(map, (workload, fields, by) => {
        const { counts } = find(workload, fields);
        const bucket = Math.min(Number(fields.at(-1)), bucketCount - 1);
        counts[bucket] = (counts[bucket] ?? 0) + by;
      });
    }
    for (const map of metric.definition.sumsNs) {
      feed(map, (workload, fields, by) => {
        find(workload, fields).sumSeconds += by * 1e-9;
      });
    }
  }
  return feeds;
};

/** Finds the series of a workload and a key of the kernel's map, or makes it. */
const finder = <Found extends Series>(
  { fields, labels }: HistogramDefinition | CounterDefinition,
  series: Map<string, Found>,
  now: () => number,
  create: (series: Series) => Found,
) => {
  const shared = Object.values(labels).join('\0');
  return (workload: Workload, keys: readonly string[]): Found => {
    // By labels, and not by keys: several may have the same, such as two errors that are one reason.
    const own = fields.map(([, valueOf], position) => valueOf(Number(keys[position])));
    const id = [workloadKey(workload), shared, ...own].join('\0');
    const known = series.get(id);
    if (known !== undefined) return known;
    const { namespace, app, version } = workload;
    const created = create({
      workload,
      labels: {
        ...{ namespace, app, version, ...labels },
        ...Object.fromEntries(fields.map(([label], position) => [label, own[position] ?? ''])),
      },
      createdMs: now(),
    });
    series.set(id, created);
    return created;
  };
};

export const workloadKey = ({ namespace, app, version }: Workload): string =>
  [namespace, app, version].join('\0');
