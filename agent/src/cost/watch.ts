// In: the running bpftrace. Out: what each of its probes costs the node, from samples.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnedProgram } from '../bpftrace/compose.ts';
import type { PlainLog } from '../log.ts';
import { valueOfKey } from '../files/parse.ts';
import { between, costByProbe, type Cost } from './attribute.ts';
import type { Load } from './budget.ts';
import { readPrograms } from './programs.ts';
import { withBpfStats } from './switch.ts';

export interface ProbeCost {
  /** CPU time of its programs, and how often they ran: what the samples say, for all of the time. */
  readonly seconds: number;
  readonly runs: number;
  /** Runs that the kernel left out because another program was at work on that CPU. These are all there were. */
  readonly misses: number;
}

/** By probe; kept up to date by `watchCost`; becomes self-metrics. */
export type CostState = Map<string, ProbeCost>;

export interface WatchOptions {
  /** Time between two samples, in ms. */
  readonly sampleInterval: number;
  readonly state: CostState;
  readonly log: PlainLog;
  /** The process that holds the programs; undefined while there is none that has all of them. */
  readonly pid: () => number | undefined;
  /** Whose each of them is. */
  readonly owned: () => readonly OwnedProgram[];
  /** By probe, in ns: what it takes at a switch of threads, for nodes on which nothing can be measured. */
  readonly switchNs: Readonly<Record<string, number>>;
  /** Called with each sample, or with what stands for it; the next one waits for it. */
  readonly onSample: (load: Load) => Promise<void>;
}

/** The kernel keeps its books while a sample lasts, and not between two: they cost each run of a program some 50 ns. */
const longestSampleMs = 1000;

/** Takes a sample at each interval until `signal` aborts; the time since the one before counts as that sample says. */
export const watchCost = async (options: WatchOptions, signal: AbortSignal): Promise<void> => {
  const { sampleInterval, state, log, switchNs, onSample } = options;
  const lengthMs = Math.min(longestSampleMs, sampleInterval / 2);
  let bookedMs = performance.now();
  let last: { readonly pid: number; readonly costs: Costs } | undefined;
  let isBlind = false;
  for (;;) {
    await sleep(sampleInterval - lengthMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const pid = options.pid();
    if (pid === undefined) continue;
    const owned = options.owned();
    const readCosts = async () => costByProbe(await readPrograms(pid), owned);
    const sample = await withBpfStats(() => observe(readCosts, lengthMs, signal));
    const load = sample ? loadOf(sample) : await guessLoad(owned, switchNs, lengthMs, signal);
    // Another process may have come in its place meanwhile.
    if (options.pid() !== pid) continue;
    if (sample === undefined && !isBlind) log.warn({ remedy }, 'what the probes cost is not known');
    isBlind = sample === undefined;
    if (sample !== undefined) {
      const nowMs = performance.now();
      const missesBefore = last?.pid === pid ? last.costs : noCosts;
      book(state, sample, missesBefore, (nowMs - bookedMs) / 1000);
      bookedMs = nowMs;
      last = { pid, costs: sample.after };
    }
    await onSample(load);
  }
};

const remedy =
  'CAP_SYS_ADMIN, a writable /proc/sys/kernel/bpf_stats_enabled and a shell; until then the budget goes by switches of threads';

type Costs = ReadonlyMap<string, Cost>;
const noCosts: Costs = new Map();

/** What was read at the begin and at the end of some time, and the switches of threads meanwhile. */
interface Observed<Reading> {
  readonly seconds: number;
  readonly before: Reading;
  readonly after: Reading;
  readonly switches: number;
}

const observe = async <Reading>(
  read: () => Promise<Reading>,
  lengthMs: number,
  signal: AbortSignal,
): Promise<Observed<Reading>> => {
  const startMs = performance.now();
  const switchesBefore = await readSwitches();
  const before = await read();
  await sleep(lengthMs, undefined, { signal }).catch(() => undefined);
  const after = await read();
  const switches = (await readSwitches()) - switchesBefore;
  return { seconds: (performance.now() - startMs) / 1000, before, after, switches };
};

/** What the switches of threads suggest: `runqueue`, whose cost they are, is what can make a node slow. */
const guessLoad = async (
  owned: readonly OwnedProgram[],
  switchNs: Readonly<Record<string, number>>,
  lengthMs: number,
  signal: AbortSignal,
): Promise<Load> => {
  const { switches, seconds } = await observe(() => Promise.resolve(), lengthMs, signal);
  const switchesPerSecond = switches / seconds;
  const probes = Object.entries(switchNs).filter(([probe]) => owned.some((one) => one.probe === probe));
  return {
    shareByProbe: new Map(probes.map(([probe, ns]) => [probe, (switchesPerSecond * ns) / 1e9])),
    switchesPerSecond,
  };
};

/** Of threads, on all CPUs, since the node was booted (proc(5)). */
const readSwitches = async (): Promise<number> =>
  valueOfKey(await readFile('/proc/stat', 'utf8'), 'ctxt') ?? NaN;

const loadOf = ({ before, after, seconds, switches }: Observed<Costs>): Load => ({
  shareByProbe: new Map(
    [...between(before, after)].map(([probe, { nanoseconds }]) => [probe, nanoseconds / 1e9 / seconds]),
  ),
  switchesPerSecond: switches / seconds,
});

const book = (
  state: CostState,
  sample: Observed<Costs>,
  missesBefore: Costs,
  elapsedSeconds: number,
): void => {
  const scale = elapsedSeconds / sample.seconds;
  // Misses are booked whether the switch is on or off.
  const missed = between(missesBefore, sample.after);
  for (const [probe, { runs, nanoseconds }] of between(sample.before, sample.after)) {
    const sum = state.get(probe) ?? { seconds: 0, runs: 0, misses: 0 };
    state.set(probe, {
      seconds: sum.seconds + (nanoseconds / 1e9) * scale,
      runs: sum.runs + Math.round(runs * scale),
      misses: sum.misses + (missed.get(probe)?.misses ?? 0),
    });
  }
};
