import { expect, test } from 'vitest';
import { createAffinities } from './affinity.ts';
import { createStealWatch } from './steal.ts';

test('what was stolen is told by the CPUs it was stolen from', () => {
  let stat = 'cpu0 100 0 0 0 0 0 0 50 0 0\ncpu1 100 0 0 0 0 0 0 0 0 0\n';
  const watch = createStealWatch(() => stat);
  watch.observe();
  expect(watch.isSeen()).toBe(false);
  expect(watch.perSecondRun()).toBe(0);
  stat = 'cpu0 140 0 0 0 0 0 0 60 0 0\ncpu1 200 0 0 0 0 0 0 0 0 0\n';
  watch.observe();
  expect(watch.isSeen()).toBe(true);
  expect(watch.perSecondRun([0])).toBeCloseTo(0.25, 10);
  expect(watch.perSecondRun([1])).toBe(0);
  expect(watch.perSecondRun()).toBeCloseTo(10 / 140, 10);
  expect(watch.perSecondRun([7])).toBe(0);
});

test('what was stolen long ago is forgotten, and a CPU that hardly ran has no endless share', () => {
  let [run, stolen] = [0, 0];
  const watch = createStealWatch(() => `cpu0 ${run} 0 0 0 0 0 0 ${stolen} 0 0\n`);
  watch.observe();
  stolen = 3;
  watch.observe();
  expect(watch.perSecondRun([0])).toBe(3);
  for (let i = 0; i < 40; i++) {
    run += 50;
    watch.observe();
  }
  expect(watch.perSecondRun([0])).toBeLessThan(0.001);
});

test('the CPUs of a cgroup are those of its first process, looked up once a minute', () => {
  const files: Record<string, string> = {
    '/v2/shop/cgroup.procs': '42\n43\n',
    '/proc/42/status': 'Name:\tnode\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1,4\n',
  };
  let nowMs = 0;
  const { cpusOf } = createAffinities(
    '/v2',
    (file) => files[file],
    () => nowMs,
  );
  expect(cpusOf('/shop')).toEqual([0, 1, 4]);
  expect(cpusOf('/gone')).toBeUndefined();
  files['/proc/42/status'] = 'Cpus_allowed_list:\t7\n';
  expect(cpusOf('/shop')).toEqual([0, 1, 4]);
  nowMs = 61_000;
  expect(cpusOf('/shop')).toEqual([7]);
});
