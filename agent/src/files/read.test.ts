import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findCgroupRoots, readCgroup } from './read.ts';

const root = mkdtempSync(join(tmpdir(), 'plumbline-files-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});
const put = (path: string, text: string) => {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
};

test('cgroup v2 has all in one place', () => {
  put('v2/shop/cpu.stat', 'usage_usec 100\nnr_throttled 2\nthrottled_usec 50\n');
  put('v2/shop/memory.current', '4096\n');
  put('v2/shop/cpu.pressure', 'some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n');
  const roots = { v2: `${root}/v2`, v1: { cpu: undefined, memory: undefined } };
  expect(readCgroup(roots, '/shop')).toEqual({
    cpuUs: 100,
    throttledUs: 50,
    memoryBytes: 4096,
    pressures: [{ some: 7 }, {}, {}],
  });
});

test('on a hybrid host throttling (ns) and memory come from v1', () => {
  put('v2/old/cpu.stat', 'usage_usec 100\n');
  put('cpu/old/cpu.stat', 'nr_periods 9\nnr_throttled 2\nthrottled_time 50000\n');
  put('memory/old/memory.usage_in_bytes', '8192\n');
  const roots = { v2: `${root}/v2`, v1: { cpu: `${root}/cpu`, memory: `${root}/memory` } };
  expect(readCgroup(roots, '/old')).toMatchObject({ cpuUs: 100, throttledUs: 50, memoryBytes: 8192 });
});

test('a cgroup that is gone reads as nothing', () => {
  const roots = { v2: `${root}/v2`, v1: { cpu: `${root}/cpu`, memory: `${root}/memory` } };
  expect(readCgroup(roots, '/gone')).toEqual({
    cpuUs: undefined,
    throttledUs: undefined,
    memoryBytes: undefined,
    pressures: [{}, {}, {}],
  });
});

test('v1 controllers are found among the mounts, also where two share one', () => {
  const mounts = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
40 31 0:37 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
`;
  expect(findCgroupRoots('/v2', mounts).v1).toEqual({
    cpu: '/sys/fs/cgroup/cpu,cpuacct',
    memory: '/sys/fs/cgroup/memory',
  });
  expect(findCgroupRoots('/v2', '').v1).toEqual({ cpu: undefined, memory: undefined });
});
