// In: the cgroups of known workloads. Out: their CPU time, throttling, pressure and memory, as one more snapshot.
import { setImmediate } from 'node:timers/promises';
import type { Snapshot } from '../bpftrace/run.ts';
import type { CounterDefinition } from '../probes/probe.ts';
import { metricNames } from '../series/names.ts';
import { lineageOf } from '../workloads/lineage.ts';
import type { KnownCgroup } from '../workloads/workloads.ts';
import { createAffinities } from './affinity.ts';
import { readCgroup, type CgroupReading, type CgroupRoots } from './read.ts';
import { createStealWatch, type StealWatch } from './steal.ts';

export const resources = ['cpu', 'memory', 'io'] as const;
export const kinds = ['some', 'full'] as const;

const cpuMap = '@cgroup_cpu_us';
const stolenMap = '@cgroup_stolen_us';
const throttledMap = '@cgroup_throttled_us';
const pressureMap = '@cgroup_pressure_us';
const memoryMap = '@cgroup_memory_bytes';

const definition = { labels: {}, fields: [], kind: 'counter', scale: 1e-6 } as const;

/** What the readings become. The maps are not the kernel's, but count like those. */
export const cgroupMetrics: readonly CounterDefinition[] = [
  { ...definition, name: metricNames.cpu, help: 'CPU time used.', map: cpuMap },
  {
    ...definition,
    name: metricNames.stolen,
    help: 'CPU time that the hypervisor took from it: the time it used, times what was stolen by what was run on the CPUs that it may use.',
    map: stolenMap,
  },
  {
    ...definition,
    name: metricNames.throttled,
    help: 'Time for which its own CPU quota kept it from running, summed over CPUs.',
    map: throttledMap,
  },
  {
    ...definition,
    name: metricNames.pressure,
    help: 'Time in which some or all of its tasks stalled for a resource (PSI), summed over its cgroups.',
    fields: [
      ['resource', (key) => resources[key] ?? 'unknown'],
      ['kind', (key) => kinds[key] ?? 'unknown'],
    ],
    map: pressureMap,
  },
  {
    ...definition,
    kind: 'gauge',
    name: metricNames.memory,
    help: 'Memory charged to it, page cache included.',
    map: memoryMap,
    scale: 1,
  },
];

export interface CgroupReader {
  /** Reads the files of these cgroups. Counters count from the first time that a cgroup was read. */
  read(known: readonly KnownCgroup[]): Promise<Snapshot>;
}

interface Total {
  readonly map: string;
  readonly key: string;
  readonly sum: number;
  /**
   * The highest sum so far. What is in a cgroup is read a moment after that cgroup, so that what it has of its own may seem
   * to fall; a counter that does counts what comes next twice.
   */
  readonly told: number;
}

/** A turn of the event loop is for so many cgroups: each takes some 50 us. */
const cgroupsPerTurn = 50;

export const createCgroupReader = (
  roots: CgroupRoots,
  read = readCgroup,
  steal: StealWatch = createStealWatch(),
  affinities = createAffinities(roots.v2),
): CgroupReader => {
  /** By map and key: what a counter was when last read, and what has come since the first time. */
  let lastByKey: ReadonlyMap<string, number> = new Map();
  let totalByKey: ReadonlyMap<string, Total> = new Map();

  return {
    read: async (known) => {
      const cgroups = topmost(known);
      steal.observe();
      const pathsByTop = groupByTop(cgroups, known);
      affinities.keep(new Set(known.map(({ path }) => path)));
      const stolenPerUs = (path: string): number =>
        steal.perSecondRun(fewest((pathsByTop.get(path) ?? []).map(affinities.cpusOf)));
      const readings = new Map<string, CgroupReading>();
      for (const [index, { path }] of cgroups.entries()) {
        if (index % cgroupsPerTurn === cgroupsPerTurn - 1) await setImmediate();
        readings.set(path, read(roots, path));
      }
      const last = new Map<string, number>();
      const maps = new Map(cgroupMetrics.map(({ map }) => [map, new Map<string, number>()]));
      const growth = (map: string, key: string, value: number | undefined): number => {
        if (value === undefined) return 0;
        last.set(`${map},${key}`, value);
        return Math.max(0, value - (lastByKey.get(`${map},${key}`) ?? value));
      };
      const totals = new Map<string, Total>();
      const add = (map: string, key: string, by: number) => {
        const id = `${map},${key}`;
        const { sum, told } = totals.get(id) ?? totalByKey.get(id) ?? { sum: 0, told: 0 };
        totals.set(id, { map, key, sum: sum + by, told });
      };
      const outerByPath = new Map(cgroups.map(({ cgroupId, path }) => [path, cgroupId]));
      for (const { cgroupId, path } of cgroups) {
        const reading = readings.get(path);
        if (reading === undefined) continue;
        const cpu = growth(cpuMap, cgroupId, reading.cpuUs);
        add(cpuMap, cgroupId, cpu);
        // A node from which nothing was ever stolen needs no series to say so.
        const stolen = steal.isSeen() ? cpu * stolenPerUs(path) : undefined;
        if (stolen !== undefined) add(stolenMap, cgroupId, stolen);
        add(throttledMap, cgroupId, growth(throttledMap, cgroupId, reading.throttledUs));
        for (const [resource, pressure] of reading.pressures.entries()) {
          for (const [kind, name] of kinds.entries()) {
            const key = `${cgroupId},${resource},${kind}`;
            if (pressure[name] !== undefined) add(pressureMap, key, growth(pressureMap, key, pressure[name]));
          }
        }
        if (reading.memoryBytes !== undefined) maps.get(memoryMap)?.set(cgroupId, reading.memoryBytes);
        // The kernel counts CPU and memory of a cgroup in those around it, too.
        const outer = lineageOf(path)
          .slice(1)
          .find((ancestor) => outerByPath.has(ancestor));
        const outerId = outer === undefined ? undefined : outerByPath.get(outer);
        if (outerId === undefined) continue;
        add(cpuMap, outerId, -cpu);
        if (stolen !== undefined) add(stolenMap, outerId, -stolen);
        const around = maps.get(memoryMap)?.get(outerId);
        if (around !== undefined) maps.get(memoryMap)?.set(outerId, around - (reading.memoryBytes ?? 0));
      }
      for (const [id, total] of totals) {
        const told = Math.max(total.told, total.sum);
        totals.set(id, { ...total, told });
        maps.get(total.map)?.set(total.key, told);
      }
      lastByKey = last;
      totalByKey = totals;
      return { run: 0, maps };
    },
  };
};

/** Those that are in no other cgroup of their workload: the kernel counts what is below in them. By path, outer first. */
const topmost = (known: readonly KnownCgroup[]): readonly KnownCgroup[] => {
  const workloadByPath = new Map(known.map(({ path, workload }) => [path, workload]));
  return known
    .filter(({ path, workload }) => workloadByPath.get(parentOf(path)) !== workload)
    .sort((a, b) => a.path.length - b.path.length);
};

/** Paths of all known cgroups by the topmost one that they are in. */
const groupByTop = (
  cgroups: readonly KnownCgroup[],
  known: readonly KnownCgroup[],
): ReadonlyMap<string, readonly string[]> => {
  const groups = new Map<string, string[]>(cgroups.map(({ path }) => [path, []]));
  for (const { path } of known) {
    const top = lineageOf(path).find((ancestor) => groups.has(ancestor));
    if (top !== undefined) groups.get(top)?.push(path);
  }
  return groups;
};

/** A container that holds a pod together may run anywhere; the one that works is the one that was pinned. */
const fewest = (some: readonly (readonly number[] | undefined)[]): readonly number[] | undefined =>
  some.reduce(
    (best, one) => (one === undefined || (best !== undefined && best.length <= one.length) ? best : one),
    undefined,
  );

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));
