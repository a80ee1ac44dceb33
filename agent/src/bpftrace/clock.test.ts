import { expect, test } from 'vitest';
import {
  clockFragment,
  createSleepWatch,
  parseAsleepNs,
  parseTimerList,
  readAsleepNs,
  relateClocks,
  withAsleep,
} from './clock.ts';

const timerList = `Timer List Version: v0.10
HRTIMER_MAX_CLOCK_BASES: 8
now at 4633628496900 nsecs

cpu: 0
 clock 0:
  .resolution: 1 nsecs
jiffies: 4296050627
jiffies: 4296050627
`;

test('time and jiffies are read', () => {
  expect(parseTimerList(timerList)).toEqual({ ns: 4_633_628_496_900, jiffies: 4_296_050_627 });
});

test('a list without them is no reading', () => {
  expect(parseTimerList('Timer List Version: v0.10\n')).toBeUndefined();
});

test.each([100, 250, 300, 1000])('with HZ=%i the length of a jiffy and its beginning are found', (hz) => {
  const jiffyNs = Math.round(1e9 / hz);
  const readings = Array.from({ length: 12 }, (_, index) => {
    const ns = 1e12 + index * 25_300_000;
    return { ns, jiffies: Math.floor(ns / jiffyNs) };
  });
  const clock = relateClocks(readings);
  expect(clock?.jiffyNs).toBe(jiffyNs);
  const beginning = (clock?.jiffies ?? 0) * jiffyNs;
  expect(Math.abs((clock?.ns ?? 0) - beginning)).toBeLessThan(jiffyNs / 2);
});

test('readings that were preempted half-way, or of jiffies that lag behind, move nothing', () => {
  const readings = Array.from({ length: 12 }, (_, index) => {
    const ns = 1e12 + index * 25_300_000;
    const late = { 3: 12, 7: 10, 9: -8 }[index] ?? 0;
    return { ns, jiffies: Math.floor(ns / 4e6) + late };
  });
  const clock = relateClocks(readings);
  expect(clock?.jiffyNs).toBe(4e6);
  expect(Math.abs((clock?.ns ?? 0) - (clock?.jiffies ?? 0) * 4e6)).toBeLessThan(2e6);
});

test('readings that fit no CONFIG_HZ relate nothing', () => {
  expect(relateClocks([])).toBeUndefined();
  expect(
    relateClocks([
      { ns: 0, jiffies: 0 },
      { ns: 1e9, jiffies: 520 },
    ]),
  ).toBeUndefined();
});

test('the fragment says after how many ns the 32 bits of the jiffies begin anew', () => {
  const clock = { ns: 5, jiffies: 4_296_050_627, jiffyNs: 3_333_333 };
  expect(clockFragment(clock, 0)).toContain('$jiffies_ns = (uint64)14316556221677568;');
});

test('without a clock the fragment is zeros, and nothing to divide by zero', () => {
  expect(clockFragment(undefined)).toContain('$jiffy_ns = (uint64)0;\n$jiffies_ns = (uint64)1;');
});

test('the time asleep is the offset of the boot clock, of the first CPU', () => {
  const clock = (index: number, offset: number) =>
    ` clock ${index}:\n  .base:       0000000047aa810a\n  .index:      ${index}\n  .resolution: 1 nsecs\n` +
    `  .offset:     ${offset} nsecs\nactive timers:\n #0: <00000000b7e5bb39>, tick_nohz_handler, S:01\n`;
  const cpu = (asleepNs: number) =>
    [0, 1_795_250_307_443_864_857, asleepNs].map((offset, index) => clock(index, offset)).join('');
  expect(parseAsleepNs(`cpu: 0\n${cpu(28_800_000_000_123)}cpu: 1\n${cpu(0)}`)).toBe(28_800_000_000_123);
  expect(parseAsleepNs(timerList)).toBe(0);
});

test('without such a clock in the kernel, or the right to see it, nobody has slept', () => {
  expect(readAsleepNs('/proc/absent', '6.18.0')).toBe(0);
  expect(readAsleepNs('/proc/timer_list', '5.4.0')).toBe(0);
});

test('a program is given the time asleep anew', () => {
  const program = clockFragment(undefined, 5) + clockFragment(undefined, 5);
  expect(withAsleep(program, 28_800_000_000_123)).toBe(
    clockFragment(undefined, 28_800_000_000_123) + clockFragment(undefined, 28_800_000_000_123),
  );
});

test('sleep is noticed once, and the steps in which the kernel tells its uptime are none', () => {
  let asleep = { leastMs: 0, mostMs: 0 };
  const hasSlept = createSleepWatch(() => asleep);
  asleep = { leastMs: 10, mostMs: 10 };
  expect(hasSlept()).toBe(false);
  asleep = { leastMs: 5000, mostMs: 5000 };
  expect([hasSlept(), hasSlept()]).toEqual([true, false]);
});

test('a process that waits for a CPU between the readings of its clocks has not slept', () => {
  let asleep = { leastMs: -700, mostMs: 0 };
  const hasSlept = createSleepWatch(() => asleep);
  asleep = { leastMs: 0, mostMs: 0 };
  expect(hasSlept()).toBe(false);
  asleep = { leastMs: -700, mostMs: 0 };
  expect(hasSlept()).toBe(false);
});
