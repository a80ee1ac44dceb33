// In: the libraries that processes use. Out: calls to attach to them, as they come and go.
import { setTimeout as sleep } from 'node:timers/promises';
import type { TracedFile } from '../bpftrace/uprobes.ts';
import { createChoice } from './choice.ts';
import { createLibraries } from './libraries.ts';

/** Numbers of files; kept up to date; becomes self-metrics. */
export interface LibraryState {
  attached: number;
  /** In use, and not attached to: not yet, or because there are too many. */
  waiting: number;
}

export interface FollowOptions {
  readonly state: LibraryState;
  /** Whether there is anything to attach with. */
  readonly isReady: () => boolean;
  /** Resolves with whether it has been done. */
  readonly attach: (files: readonly TracedFile[]) => Promise<boolean>;
}

const untilReadyMs = 200;
const shortestPauseMs = 5000;
/** Reading the maps of all processes takes at most this share of one core. */
const share = 1 / 200;

/** Looks again and again until the signal aborts. */
export const followLibraries = async (
  { state, isReady, attach }: FollowOptions,
  signal: AbortSignal,
): Promise<void> => {
  const libraries = createLibraries();
  const choice = createChoice<TracedFile>();

  /** Returns what it took of CPU time, in ms. */
  const look = async (): Promise<number> => {
    const start = process.cpuUsage();
    const found = await libraries.find();
    const { user, system } = process.cpuUsage(start);
    const wanted = choice.observe(found);
    if (wanted !== undefined) choice.conclude(wanted, await attach([...wanted.values()]));
    const attached = choice.attached();
    state.attached = attached.size;
    state.waiting = [...found.keys()].filter((identity) => !attached.has(identity)).length;
    await libraries.forgetAllBut(new Set([...attached.keys(), ...found.keys()]));
    return (user + system) / 1000;
  };

  try {
    while (!signal.aborted) {
      const pauseMs = isReady() ? Math.max(shortestPauseMs, (await look()) / share) : untilReadyMs;
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await libraries.forgetAllBut(new Set());
  }
};
