// In: a program. Out: snapshots of its maps, for ever: bpftrace is started again, with back-off, when it ends.
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlainLog } from '../log.ts';
import { runBpftrace, type ChildOptions } from './child.ts';
import { tickMap } from './compose.ts';
import { parseLine, type MapValues } from './parse.ts';

/** All maps of a program as they were at one tick. Values count from the start of that run of bpftrace. */
export interface Snapshot {
  /** Number of the run, from 1: values of different runs do not continue each other. */
  readonly run: number;
  readonly maps: ReadonlyMap<string, MapValues>;
}

/** Kept up to date while `supervise` runs; becomes self-metrics. */
export interface SupervisorState {
  running: boolean;
  runs: number;
  brokenLines: number;
  lostEvents: number;
  /** Unix ms of the latest snapshot; undefined before the first. */
  lastSnapshotMs: number | undefined;
}

export const newSupervisorState = (): SupervisorState => ({
  running: false,
  runs: 0,
  brokenLines: 0,
  lostEvents: 0,
  lastSnapshotMs: undefined,
});

const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** A run of this length was a good one: the next pause is short again. */
const healthyRunMs = 60_000;

/**
 * Runs the program until `signal` aborts, then resolves when bpftrace is gone.
 *
 * @param onSnapshot called at each tick
 */
export const supervise = async (
  program: string,
  options: ChildOptions & {
    readonly log: PlainLog;
    readonly signal: AbortSignal;
    readonly state: SupervisorState;
    readonly onSnapshot: (snapshot: Snapshot) => void;
  },
): Promise<void> => {
  const { log, signal, state } = options;
  let pauseMs = firstPauseMs;
  while (!signal.aborted) {
    state.runs++;
    const startedMs = Date.now();
    const end = await runBpftrace(program, options, signal, collectSnapshots(options));
    state.running = false;
    if (isAborted(signal)) return;
    if (Date.now() - startedMs > healthyRunMs) pauseMs = firstPauseMs;
    log.warn({ ...end, pauseMs }, 'bpftrace ended; starting it again');
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
};

const collectSnapshots = ({
  state,
  log,
  onSnapshot,
}: {
  readonly state: SupervisorState;
  readonly log: PlainLog;
  readonly onSnapshot: (snapshot: Snapshot) => void;
}) => {
  const run = state.runs;
  const maps = new Map<string, MapValues>();
  return (text: string): void => {
    const line = parseLine(text);
    switch (line.kind) {
      case 'map':
        maps.set(line.name, line.values);
        if (line.name !== tickMap) return;
        if (!state.running) log.info({ run }, 'bpftrace delivers');
        state.running = true;
        state.lastSnapshotMs = Date.now();
        onSnapshot({ run, maps: new Map(maps) });
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
};

/** A function of its own, so that the compiler does not believe the answer from before an await. */
const isAborted = (signal: AbortSignal) => signal.aborted;
