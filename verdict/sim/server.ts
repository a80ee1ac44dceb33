// A load and who else wants the CPU in; what a server with one CPU answers, window by window, out: requests that wait for
// each other, as in M/G/1, where `world.ts` draws each by itself.
import type { Cell } from '../src/types.ts';
import { simulatedSchema } from './families.ts';
import type { Rng } from './rng.ts';

/** A pod that answers requests one after another, on a CPU that it may have to share. */
export interface Load {
  /** Mean CPU time of a request; it is log-normal, with σ = 0.5. */
  readonly cpuSeconds: number;
  /** Median of what a request waits for elsewhere, in which others are answered. */
  readonly elsewhereSeconds: number;
  /** As many others as this want the CPU all the time; the scheduler gives each 3 ms in turn. */
  readonly neighbours?: number;
  /** Whoever reads a request hands it on: what it is late by is not known, nor what those wait for who work on it. */
  readonly handsOn?: boolean;
  /** The host takes this share of the CPU time that is wanted, for 1 to 30 ms (log-uniform) at a time. */
  readonly stealShare?: number;
}

/** What the agent would report of a window, without the node's name and the arm. */
export type Answered = Omit<Cell, 'node' | 'arm' | 'errors'>;

const sigma = 0.5;
const sliceSeconds = 0.003;
const burst = { least: 0.001, most: 0.03 };
const meanBurst = (burst.most - burst.least) / Math.log(burst.most / burst.least);
/** Clients that wait so long send nothing more: nothing queues up for ever. */
const patienceSeconds = 0.5;
/** A hypervisor tells what it took in ticks. */
const tickSeconds = 0.01;

/** Returns a server; each call answers the requests of the next `seconds`, `rps` of them in each. */
export function createServer(load: Load, rng: Rng): (seconds: number, rps: number) => Answered {
  const { cpuSeconds, elsewhereSeconds, neighbours = 0, handsOn = false, stealShare = 0 } = load;
  const scale = cpuSeconds * Math.exp(-(sigma ** 2) / 2);
  const exponential = (mean: number): number => -mean * Math.log(rng.uniform());
  const meanToSteal = stealShare > 0 ? (meanBurst * (1 - stealShare)) / stealShare : Infinity;
  let windowStart = 0;
  let arrival = 0;
  let now = 0;
  let sliceLeft = sliceSeconds;
  let toSteal = stealShare > 0 ? exponential(meanToSteal) : Infinity;
  let waited = 0;
  /** What the agent's program takes the server to be late by, and what it had waited for when that was noted. */
  let late = 0;
  let waitedAtLate = 0;
  let waitedTold = 0;
  let stolen = 0;
  let stolenTold = 0;

  const wait = (seconds: number): void => {
    waited += seconds;
    now += seconds;
    sliceLeft = sliceSeconds;
  };
  const steal = (seconds: number): void => {
    stolen += seconds;
    now += seconds;
  };
  const burstSeconds = (): number => burst.least * (burst.most / burst.least) ** rng.uniform();

  const wake = (): void => {
    now = arrival;
    late = 0;
    waitedAtLate = waited;
    sliceLeft = sliceSeconds;
    if (neighbours > 0) wait(sliceSeconds * rng.uniform());
    if (rng.uniform() < stealShare) steal(burstSeconds() * rng.uniform());
  };
  const use = (seconds: number): void => {
    for (let left = seconds; left > 0;) {
      const step = Math.min(left, neighbours > 0 ? sliceLeft : Infinity, toSteal);
      now += step;
      left -= step;
      sliceLeft -= step;
      toSteal -= step;
      if (toSteal <= 0) {
        steal(burstSeconds());
        toSteal = exponential(meanToSteal);
      }
      if (neighbours > 0 && sliceLeft <= 0) wait(neighbours * sliceSeconds);
    }
  };
  const read = (): void => {
    late = Math.min(late + waited - waitedAtLate, now - arrival);
    waitedAtLate = waited;
  };

  return (seconds, rps) => {
    const [durations, net] = [counter(), counter()];
    const windowEnd = windowStart + seconds;
    let requests = 0;
    let used = 0;
    let delayed = 0;
    for (arrival = Math.max(arrival, windowStart); ;) {
      arrival += exponential(1 / rps);
      if (arrival >= windowEnd) break;
      if (now - arrival > patienceSeconds) continue;
      if (now < arrival) wake();
      read();
      const cpu = scale * Math.exp(sigma * rng.normal());
      use(cpu);
      used += cpu;
      const elsewhere = elsewhereSeconds > 0 ? elsewhereSeconds * Math.exp(sigma * rng.normal()) : 0;
      const delay = handsOn ? 0 : late + waited - waitedAtLate;
      const duration = now - arrival + elsewhere;
      durations.add(duration);
      net.add(Math.max(duration - delay, cpu));
      delayed += delay;
      requests += 1;
    }
    windowStart = windowEnd;
    const told = tickSeconds * (Math.floor(stolen / tickSeconds) - Math.floor(stolenTold / tickSeconds));
    stolenTold = stolen;
    const othersSeconds = waited - waitedTold;
    waitedTold = waited;
    return {
      requests,
      durations: durations.counts(),
      netDurations: net.counts(),
      schedDelaySeconds: delayed,
      cpuSeconds: used,
      cpuWait: { ownSeconds: 0, othersSeconds },
      contention: { stealShare: told + used > 0 ? told / (told + used) : 0 },
    };
  };
}

/** Counts durations in native buckets. */
function counter(): {
  readonly add: (seconds: number) => void;
  readonly counts: () => { readonly offset: number; readonly counts: readonly number[] };
} {
  const offset = -100;
  const counts = new Array<number>(140).fill(0);
  return {
    add: (seconds) => {
      const index = Math.ceil(2 ** simulatedSchema * Math.log2(seconds)) - offset;
      const place = Math.min(Math.max(index, 0), counts.length - 1);
      counts[place] = (counts[place] ?? 0) + 1;
    },
    counts: () => ({ offset, counts }),
  };
}
