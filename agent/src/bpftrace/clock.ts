// In: /proc/timer_list, read a few times. Out: how the kernel's jiffies, its monotonic clock and bpftrace's relate.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { release, uptime } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAtLeast } from './kernel.ts';

/** One reading: nanoseconds of CLOCK_MONOTONIC, and jiffies. */
export interface ClockReading {
  readonly ns: number;
  readonly jiffies: number;
}

/** Jiffy `jiffies` began at `ns`, and each lasts `jiffyNs`. */
export interface JiffyClock extends ClockReading {
  readonly jiffyNs: number;
}

/** CONFIG_HZ offers these. */
const frequenciesHz = [100, 250, 300, 1000];
const readings = 12;
const pauseMs = 25;

/** Takes about 0.3 s; undefined where the kernel does not show its timers, or not to us. */
export const readJiffyClock = async (file = '/proc/timer_list'): Promise<JiffyClock | undefined> => {
  const found: ClockReading[] = [];
  try {
    for (let reading = 0; reading < readings; reading++) {
      const one = parseTimerList(await readFile(file, 'utf8'));
      if (one !== undefined) found.push(one);
      await sleep(pauseMs);
    }
  } catch {
    return undefined;
  }
  return relateClocks(found);
};

export const parseTimerList = (text: string): ClockReading | undefined => {
  const ns = /^now at (\d+) nsecs$/m.exec(text)?.[1];
  const jiffies = /^jiffies: (\d+)$/m.exec(text)?.[1];
  return ns === undefined || jiffies === undefined ? undefined : { ns: Number(ns), jiffies: Number(jiffies) };
};

/**
 * A reading comes somewhere within its jiffy, on average in its middle. On a busy node some are off by tens of
 * milliseconds, either way: the kernel may be preempted between printing one and the other, and may be late in
 * counting jiffies. The median is not moved by those.
 */
export const relateClocks = (readings: readonly ClockReading[]): JiffyClock | undefined => {
  const [first, last] = [readings[0], readings.at(-1)];
  if (first === undefined || last === undefined || last.jiffies - first.jiffies < 10) return undefined;
  const measuredHz = ((last.jiffies - first.jiffies) * 1e9) / (last.ns - first.ns);
  const [hz = NaN] = [...frequenciesHz].sort((a, b) => Math.abs(a - measuredHz) - Math.abs(b - measuredHz));
  if (Math.abs(hz / measuredHz - 1) > 0.15) return undefined;
  const jiffyNs = Math.round(1e9 / hz);
  const beginnings = readings.map(({ ns, jiffies }) => ns - (jiffies - first.jiffies) * jiffyNs);
  beginnings.sort((a, b) => a - b);
  const middle = beginnings[Math.floor(beginnings.length / 2)] ?? NaN;
  return { jiffyNs, jiffies: first.jiffies, ns: Math.round(middle - jiffyNs / 2) };
};

/**
 * The fragment `node/clock.bt`: constants of this node, since its last boot; where they are not known, zeros and jiffies
 * that begin anew each ns, so that nothing is found late by them.
 */
export const clockFragment = (clock: JiffyClock | undefined, asleepNs = readAsleepNs()): string => {
  const { ns, jiffies, jiffyNs } = clock ?? { ns: 0, jiffies: 0, jiffyNs: 0 };
  const constants = {
    jiffy_ns: jiffyNs,
    jiffies_ns: BigInt(jiffyNs) * 2n ** 32n || 1,
    clock_jiffies: jiffies,
    clock_ns: ns,
    asleep_ns: asleepNs,
  };
  return Object.entries(constants)
    .map(([name, value]) => `$${name} = (uint64)${value};\n`)
    .join('');
};

/** The same program with the time asleep as it is now. */
export const withAsleep = (program: string, asleepNs: number): string =>
  program.replaceAll(/(\$asleep_ns = \(uint64\))\d+;/g, `$1${asleepNs};`);

/**
 * How long this node has slept since it was booted, in ns: bpftrace's `nsecs` counts that (CLOCK_BOOTTIME), and the times
 * that the kernel keeps of sockets do not. Before Linux 5.8, programs have no such clock, and `nsecs` does not either.
 */
export const readAsleepNs = (file = '/proc/timer_list', kernel = release()): number => {
  if (!isAtLeast(kernel, [5, 8])) return 0;
  try {
    return parseAsleepNs(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
};

/** Clock 2 is CLOCK_BOOTTIME (include/linux/hrtimer.h), and its offset that from CLOCK_MONOTONIC. */
export const parseAsleepNs = (text: string): number =>
  Number(/^ clock 2:\n(?: {2}\..*\n)*? {2}\.offset: +(\d+) nsecs$/m.exec(text)?.[1] ?? 0);

/** How long the node has slept, and a constant: at least, and at most. */
interface Asleep {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** Beyond the kernel's uptime, which is told in steps of 10 ms. */
const leastSleepMs = 100;

/** Returns a function that tells whether the node has slept since it was last called. */
export const createSleepWatch = (read: () => Asleep = readAsleep): (() => boolean) => {
  let { mostMs } = read();
  return () => {
    const now = read();
    const hasSlept = now.leastMs - mostMs >= leastSleepMs;
    mostMs = hasSlept ? now.mostMs : Math.min(mostMs, now.mostMs);
    return hasSlept;
  };
};

/** A busy node may leave this process without a CPU between the readings of one clock and the other. */
const readAsleep = (): Asleep => {
  const beforeMs = performance.now();
  const uptimeMs = uptime() * 1000;
  return { leastMs: uptimeMs - performance.now(), mostMs: uptimeMs - beforeMs };
};
