import { expect, test } from 'vitest';
import type { KnownCgroup } from '../workloads/workloads.ts';
import { createCgroupReader } from './cgroups.ts';
import type { CgroupReading } from './read.ts';

const shop = { namespace: 'shop', app: 'checkout', version: 'v1' };
const slice = { namespace: 'host', app: 'system', version: 'v1' };
const known = (cgroupId: string, path: string, workload = shop): KnownCgroup => ({
  cgroupId,
  path,
  workload,
  source: 'static',
});
const reading = (cpuUs: number, more: Partial<CgroupReading> = {}): CgroupReading => ({
  cpuUs,
  throttledUs: undefined,
  memoryBytes: undefined,
  pressures: [],
  ...more,
});

/** A reader whose cgroupfs is a table that the test changes. */
const setUp = () => {
  const table = new Map<string, CgroupReading>();
  const absent = reading(NaN, {});
  const reader = createCgroupReader(
    { v2: '/v2', v1: { cpu: undefined, memory: undefined } },
    (_roots, path) => {
      return table.get(path) ?? { ...absent, cpuUs: undefined };
    },
    { observe: () => undefined, isSeen: () => false, perSecondRun: () => 0 },
  );
  const read = async (...cgroups: KnownCgroup[]) => {
    const { maps } = await reader.read(cgroups);
    return Object.fromEntries([...maps].map(([map, values]) => [map, Object.fromEntries(values)]));
  };
  return { table, read };
};

test('counters count from the first reading, and memory is what it is', async () => {
  const { table, read } = setUp();
  table.set('/a', reading(5000, { throttledUs: 10, memoryBytes: 4096, pressures: [{ some: 7, full: 3 }] }));
  expect(await read(known('1', '/a'))).toEqual({
    '@cgroup_cpu_us': { '1': 0 },
    '@cgroup_stolen_us': {},
    '@cgroup_throttled_us': { '1': 0 },
    '@cgroup_pressure_us': { '1,0,0': 0, '1,0,1': 0 },
    '@cgroup_memory_bytes': { '1': 4096 },
  });
  table.set('/a', reading(5600, { throttledUs: 30, memoryBytes: 2048, pressures: [{ some: 9, full: 3 }] }));
  expect(await read(known('1', '/a'))).toEqual({
    '@cgroup_cpu_us': { '1': 600 },
    '@cgroup_stolen_us': {},
    '@cgroup_throttled_us': { '1': 20 },
    '@cgroup_pressure_us': { '1,0,0': 2, '1,0,1': 0 },
    '@cgroup_memory_bytes': { '1': 2048 },
  });
});

test('a cgroup within one of the same workload is not read: the kernel counts it in the outer one', async () => {
  const { table, read } = setUp();
  table.set('/a', reading(1));
  table.set('/a/b', reading(1));
  expect(await read(known('2', '/a/b'), known('1', '/a'))).toMatchObject({ '@cgroup_cpu_us': { '1': 0 } });
});

test('what another workload uses inside a cgroup is not used by the outer one', async () => {
  const { table, read } = setUp();
  const outer = known('1', '/system', slice);
  const cgroups = [outer, known('2', '/system/shop', shop)];
  table.set('/system', reading(1000, { memoryBytes: 100 }));
  table.set('/system/shop', reading(900, { memoryBytes: 60 }));
  await read(...cgroups);
  table.set('/system', reading(1500, { memoryBytes: 110 }));
  table.set('/system/shop', reading(1200, { memoryBytes: 65 }));
  expect(await read(...cgroups)).toMatchObject({
    '@cgroup_cpu_us': { '1': 200, '2': 300 },
    '@cgroup_memory_bytes': { '1': 45, '2': 65 },
  });
  // Its past stays in the outer one's file when the inner one goes.
  table.set('/system', reading(1510));
  expect(await read(outer)).toMatchObject({ '@cgroup_cpu_us': { '1': 210 } });
});

test('an outer cgroup that is read a moment before what is in it has no more for that', async () => {
  const { table, read } = setUp();
  const cgroups = [known('1', '/system', slice), known('2', '/system/shop', shop)];
  const all: [number, number][] = [
    [1000, 900],
    [1500, 1450],
    [2000, 1900],
  ];
  const outer = [];
  for (const [outerUs, innerUs] of all) {
    table.set('/system', reading(outerUs));
    table.set('/system/shop', reading(innerUs));
    outer.push((await read(...cgroups))['@cgroup_cpu_us']?.['1']);
  }
  expect(outer).toEqual([0, 0, 0]);
});

test('a counter that falls, as that of a new cgroup with an old id, does not', async () => {
  const { table, read } = setUp();
  table.set('/a', reading(5000));
  await read(known('1', '/a'));
  table.set('/a', reading(100));
  expect(await read(known('1', '/a'))).toMatchObject({ '@cgroup_cpu_us': { '1': 0 } });
  table.set('/a', reading(150));
  expect(await read(known('1', '/a'))).toMatchObject({ '@cgroup_cpu_us': { '1': 50 } });
});

test('a cgroup that is gone is no error', async () => {
  const { read } = setUp();
  expect(await read(known('1', '/gone'))).toMatchObject({ '@cgroup_memory_bytes': {} });
});

test('of what a hypervisor takes, each cgroup has its part by the CPUs that it may use', async () => {
  const perSecondRun = (cpus?: readonly number[]) => (cpus?.includes(0) === true ? 0.1 : 0);
  const table = new Map([
    ['/pinned', reading(1000)],
    ['/pinned/main', reading(1000)],
    ['/free', reading(1000)],
  ]);
  const cpusByPath: Record<string, readonly number[]> = {
    '/pinned': [0, 1],
    '/pinned/main': [0],
    '/free': [1],
  };
  const reader = createCgroupReader(
    { v2: '/v2', v1: { cpu: undefined, memory: undefined } },
    (_roots, path) => table.get(path) ?? reading(NaN),
    { observe: () => undefined, isSeen: () => true, perSecondRun },
    { cpusOf: (path) => cpusByPath[path], keep: () => undefined },
  );
  const cgroups = [known('1', '/pinned'), known('2', '/pinned/main'), known('3', '/free', slice)];
  await reader.read(cgroups);
  table.set('/pinned', reading(3000));
  table.set('/free', reading(3000));
  const stolen = async () =>
    Object.fromEntries((await reader.read(cgroups)).maps.get('@cgroup_stolen_us') ?? []);
  expect(await stolen()).toEqual({ '1': 200, '3': 0 });
  table.set('/pinned', reading(8000));
  expect(await stolen()).toEqual({ '1': 700, '3': 0 });
});
