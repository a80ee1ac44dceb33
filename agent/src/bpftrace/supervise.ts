// In: a program. Out: snapshots of its maps, for ever: bpftrace is started again, with back-off, when it ends, and a
// fresh one can take over.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChildEnd } from './child.ts';
import { goOn, meet, noLeads, type Leads, type MapKinds } from './handover.ts';
import { monotonicNow } from '../workloads/workloads.ts';
import type { MapValues } from './parse.ts';
import {
  isDelivering,
  startRun,
  type Maps,
  type Program,
  type Run,
  type RunOptions,
  type Snapshot,
} from './run.ts';

/** Kept up to date by the supervisor; becomes self-metrics. */
export interface SupervisorState {
  /** Process id of the bpftrace that delivers; undefined while there is none. */
  pid: number | undefined;
  /** Probes that it runs without, to stay within the budget. */
  off: readonly string[];
  /** Probes that are still being loaded, while it stands in for the whole program. */
  coming: readonly string[];
  running: boolean;
  restarts: number;
  handovers: number;
  /** Events that handovers may have counted twice or not at all, at most. */
  doubtfulEvents: number;
  /** Connections that were open at a handover, and that the fresh process does not know. */
  forgotten: number;
  brokenLines: number;
  lostEvents: number;
  /** When the latest snapshot came, by `monotonicNow`; undefined before the first. */
  lastSnapshotMs: number | undefined;
}

export const newSupervisorState = (): SupervisorState => ({
  pid: undefined,
  off: [],
  coming: [],
  running: false,
  restarts: 0,
  handovers: 0,
  doubtfulEvents: 0,
  forgotten: 0,
  brokenLines: 0,
  lostEvents: 0,
  lastSnapshotMs: undefined,
});

export interface Supervisor {
  /** Runs bpftrace until `signal` aborts, then resolves when it is gone. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /**
   * Starts another bpftrace beside the running one, and lets it take over: totals neither fall nor jump. Resolves with
   * whether it did; if not, all is as it was.
   *
   * @param next its program from now on, made of the whole one when its turn comes; by default the same
   */
  readonly handOver: (reason: string, next?: (whole: Program) => Program) => Promise<boolean>;
  /** What runs, or is to run first. */
  readonly program: () => Program;
}

/** Of a handover; `refused`: the fresh process has ended by itself before it delivered. */
type Outcome = 'done' | 'refused' | 'failed';

export interface SuperviseOptions extends RunOptions {
  readonly program: Program;
  /** What stands in for it while it is being loaded; undefined where that takes no longer. */
  readonly standInFor: (whole: Program) => Program | undefined;
  readonly state: SupervisorState;
  readonly kinds: MapKinds;
  /** Called at each tick. */
  readonly onSnapshot: (snapshot: Snapshot) => void;
  /** Asked at each tick: constants in the program hold no more. What it has counted since the last tick is not delivered. */
  readonly isStale: () => boolean;
  /** Called when the program did not deliver: it may say something else when it is started again. */
  readonly onRefused: (signal: AbortSignal) => Promise<void>;
}

const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** A run of this length was a good one: the next pause is short again. */
const healthyRunMs = 60_000;
/** From its first tick on, a new run counts beside the old one for so long: what was under way is then over. */
const overlapMs = 5000;
const noValues: MapValues = new Map();

export const createSupervisor = (options: SuperviseOptions): Supervisor => {
  const { log, state, onSnapshot } = options;
  const stopping = new AbortController();
  let whole = options.program;
  let program = whole;
  let runs = 0;
  let current: Run | undefined;
  let leads = noLeads;
  let handing: Promise<Outcome> = Promise.resolve('failed');
  /** While two runs meet, the latest tick: it is older than the next reading, and newer than the last one. */
  let heldBack: readonly Maps[] | undefined;
  const names = new Set<string>();

  const deliver = (maps: Maps, isTurn = false): void => {
    if (!state.running) log.info({ run: runs }, 'bpftrace delivers');
    state.running = true;
    state.lastSnapshotMs = monotonicNow();
    for (const name of maps.keys()) names.add(name);
    // A map whose probe is off is empty: one day it starts again from nothing.
    const all = new Map([...names].map((name) => [name, maps.get(name) ?? noValues]));
    onSnapshot({ run: runs, maps: all, isTurn });
  };

  const deliverHeldBack = (): void => {
    for (const maps of heldBack ?? []) deliver(maps);
  };

  const start = (some: Program): Run => {
    const run = startRun(some, options, stopping.signal, (maps) => {
      if (run !== current) return;
      if (options.isStale()) {
        log.warn({}, 'the node has slept, and the program has the clocks from before: starting it again');
        become(undefined);
        void run.stop();
        return;
      }
      if (heldBack === undefined) deliver(goOn(maps, leads));
      else heldBack = [goOn(maps, leads)];
    });
    return run;
  };

  const become = (run: Run | undefined, ahead: Leads = noLeads): void => {
    current = run;
    leads = ahead;
    state.pid = run?.pid;
    state.off = program.off;
    state.coming = program.coming;
  };

  /** Follows from one run to the one that takes over, to the end of the last. */
  const untilCurrentEnds = async (run: Run): Promise<ChildEnd> => {
    const end = await run.ended;
    return current === undefined || current === run ? end : untilCurrentEnds(current);
  };

  const handOver = async (reason: string, next: Program): Promise<Outcome> => {
    const old = current;
    if (old === undefined || !state.running) return 'failed';
    const fresh = start(next);
    let outcome: Outcome = 'failed';
    try {
      if (!(await isDelivering(fresh, stopping.signal))) throw new Error('it does not start');
      await pause(overlapMs, stopping.signal);
      const readOld = async () => {
        if (current !== old) throw new Error('the running one has ended');
        deliverHeldBack();
        heldBack = [];
        return goOn(await old.read(), leads);
      };
      const { leads: ahead, last, next: first, ...quality } = await meet(readOld, fresh.read, options.kinds);
      if (current !== old) throw new Error('the running one has ended');
      deliver(last, true);
      whole = next;
      program = next;
      become(fresh, ahead);
      outcome = 'done';
      deliver(goOn(first, ahead), true);
      state.handovers++;
      state.doubtfulEvents += quality.doubtfulEvents;
      state.forgotten += quality.forgotten;
      log.info({ reason, ...quality }, 'another bpftrace took over');
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!stopping.signal.aborted) log.error({ reason, why }, 'another bpftrace could not take over');
      if (current === old) deliverHeldBack();
      if (!fresh.ticking.aborted && (await hasEndedByItself(fresh))) outcome = 'refused';
    }
    heldBack = undefined;
    await (outcome === 'done' ? old : fresh).stop();
    return outcome;
  };

  const handOverInTurn = (reason: string, next: (whole: Program) => Program, from?: Run) => {
    handing = handing
      .then(() => (from === undefined || from === current ? handOver(reason, next(whole)) : 'failed'))
      .catch((error: unknown) => {
        log.error({ reason, why: String(error) }, 'another bpftrace could not be started');
        return 'failed';
      });
    return handing;
  };

  /** Lets the whole program take over from the run that stands in for it. */
  const complete = async (standIn: Run): Promise<void> => {
    await isDelivering(standIn, stopping.signal);
    for (let pauseMs = firstPauseMs; current === standIn; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const outcome = await handOverInTurn('the rest of the probes', (same) => same, standIn);
      if (outcome === 'done' || isAborted(stopping.signal)) return;
      if (outcome === 'refused') await options.onRefused(stopping.signal);
      await pause(pauseMs, stopping.signal);
    }
  };

  return {
    run: async (signal) => {
      signal.addEventListener('abort', () => {
        stopping.abort();
      });
      let pauseMs = firstPauseMs;
      let completing: Promise<unknown> = Promise.resolve();
      while (!signal.aborted) {
        runs++;
        const startedMs = Date.now();
        const standIn = options.standInFor(whole);
        program = standIn ?? whole;
        const run = start(program);
        become(run);
        if (standIn !== undefined) completing = Promise.all([completing, complete(run)]);
        const end = await untilCurrentEnds(run);
        const isRefused = !state.running && end.signal === undefined;
        become(undefined);
        state.running = false;
        if (isAborted(signal)) break;
        state.restarts++;
        if (Date.now() - startedMs > healthyRunMs) pauseMs = firstPauseMs;
        log.warn({ ...end, pauseMs }, 'bpftrace ended; starting it again');
        await pause(pauseMs, signal);
        if (isRefused) await options.onRefused(stopping.signal);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
      await completing;
      await handing;
    },
    handOver: async (reason, next = (same) => same) => (await handOverInTurn(reason, next)) === 'done',
    program: () => program,
  };
};

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

/** And was not killed, as for the memory that it takes. */
const hasEndedByItself = ({ ended }: Run): Promise<boolean> =>
  Promise.race([ended.then(({ signal }) => signal === undefined), sleep(0, false)]);

/** A function of its own, so that the compiler does not believe the answer from before an await. */
const isAborted = (signal: AbortSignal) => signal.aborted;
