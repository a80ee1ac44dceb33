// In: a program. Out: one run of bpftrace: a snapshot at each tick, and one whenever it is asked for.
import { randomInt } from 'node:crypto';
import { getPriority, release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBpftrace, type Child, type ChildOptions } from './child.ts';
import { askedMap, tickMap } from './compose.ts';
import { idsHaveGenerations } from './kernel.ts';
import type { PlainLog } from '../log.ts';
import { parseLine, type MapValues } from './parse.ts';
import type { TracedFile } from './uprobes.ts';

export type Maps = ReadonlyMap<string, MapValues>;

/** All maps of a program as they were at one time. */
export interface Snapshot {
  /** Values of snapshots with the same number, which counts from 1, continue each other. */
  readonly run: number;
  readonly maps: Maps;
  /** The next one does not have all of it, as otherwise: here one process takes over from another. */
  readonly isTurn?: boolean;
}

export interface Run extends Child {
  /** Reads the maps now. @throws Error when bpftrace has ended, or does not answer */
  readonly read: () => Promise<Maps>;
  /** Resolves when the process is gone. */
  readonly stop: () => Promise<void>;
  /** Aborts at its first tick: it is loaded, and delivers. */
  readonly ticking: AbortSignal;
}

/** What bpftrace is to run. */
export interface Program {
  /** `token` is what it answers to, see `compose`. */
  readonly text: (token: number) => string;
  /** Probes that it is without, to stay within the budget. */
  readonly off: readonly string[];
  /** Probes that it is without as long as it stands in for the whole program. */
  readonly coming: readonly string[];
  /** What its uprobes are attached to. */
  readonly files: readonly TracedFile[];
}

export interface RunOptions extends ChildOptions {
  readonly log: PlainLog;
  readonly state: { brokenLines: number; lostEvents: number };
}

const patienceMs = 5000;
/** Compiling takes one to ten seconds. */
const longestStartMs = 60_000;
/** Whoever has not ticked for so many looks in a row hangs; what is being loaded has more of them. */
const lookMs = 10_000;
const mostSilentLooks = { loading: 60, loaded: 6 };

/** Resolves with whether a run delivers, once that is known; or when `signal` aborts. */
export const isDelivering = async ({ ticking, ended }: Run, signal: AbortSignal): Promise<boolean> => {
  const known = AbortSignal.any([ticking, signal]);
  await Promise.race([ended, sleep(longestStartMs, undefined, { signal: known }).catch(() => undefined)]);
  return ticking.aborted;
};

/** Starts bpftrace, and stops it when `signal` aborts. @param onTick called with its maps at each interval */
export const startRun = (
  program: Program,
  { log, state, ...options }: RunOptions,
  signal: AbortSignal,
  onTick: (maps: Maps) => void,
): Run => {
  // Above any process id, so that nobody asks by chance.
  const token = randomInt(2 ** 30, 2 ** 31);
  const stop = new AbortController();
  const ticking = new AbortController();
  const maps = new Map<string, MapValues>();
  const hasGenerations = idsHaveGenerations(release());
  let silentLooks = 0;
  let onAnswer: (maps: Maps) => void = () => undefined;

  const onLine = (text: string): void => {
    const line = parseLine(text, hasGenerations);
    switch (line.kind) {
      case 'map':
        if (line.name === tickMap) {
          ticking.abort();
          silentLooks = 0;
          onTick(new Map(maps));
        } else if (line.name === askedMap) {
          onAnswer(new Map(maps));
        } else {
          maps.set(line.name, line.values);
        }
        return;
      case 'lost':
        state.lostEvents += line.events;
        return;
      case 'broken':
        if (state.brokenLines++ === 0) log.warn({ reason: line.reason }, 'skipped a line from bpftrace');
        return;
      case 'attached':
      case 'other':
    }
  };

  const child = startBpftrace(program.text(token), options, AbortSignal.any([signal, stop.signal]), onLine);
  // Looks are counted, and not seconds: when this process itself has stood still, its ticks are there before the next.
  const looking = setInterval(() => {
    if (++silentLooks < mostSilentLooks[ticking.signal.aborted ? 'loaded' : 'loading']) return;
    log.error({ seconds: (silentLooks * lookMs) / 1000 }, 'bpftrace is silent; ending it');
    clearInterval(looking);
    stop.abort();
  }, lookMs);
  void child.ended.then(() => {
    clearInterval(looking);
  });
  return {
    ...child,
    ticking: ticking.signal,
    read: () =>
      new Promise((resolve, reject) => {
        const give = (why: string) => {
          reject(new Error(`bpftrace ${why}`));
        };
        const timeout = setTimeout(give, patienceMs, 'does not answer');
        onAnswer = (answer) => {
          clearTimeout(timeout);
          resolve(answer);
        };
        void child.ended.then(() => {
          clearTimeout(timeout);
          give('has ended');
        });
        ask(token);
      }),
    stop: async () => {
      stop.abort();
      await child.ended;
    },
  };
};

const ask = (token: number): void => {
  try {
    getPriority(token);
  } catch {
    // There is no such process, and it does not matter: the program has seen the call.
  }
};
