// In: probes and what they may cost. Out: snapshots of their maps, and what they do cost; all of it takes rights.
import type { ChildOptions } from './bpftrace/child.ts';
import { createSleepWatch, readAsleepNs, withAsleep } from './bpftrace/clock.ts';
import { compose, ownedPrograms } from './bpftrace/compose.ts';
import { createFillWatch } from './bpftrace/fill.ts';
import type { MapKinds } from './bpftrace/handover.ts';
import { refusalOf } from './bpftrace/refusal.ts';
import type { Program, Snapshot } from './bpftrace/run.ts';
import { createSupervisor, newSupervisorState, type SupervisorState } from './bpftrace/supervise.ts';
import { hasUprobes, withTracedFiles, type TracedFile } from './bpftrace/uprobes.ts';
import { createBudget, type Load } from './cost/budget.ts';
import { watchCost, type CostState } from './cost/watch.ts';
import { runGroup, type Actor } from './group.ts';
import type { PlainLog } from './log.ts';
import { followLibraries, type LibraryState } from './tls/follow.ts';

export interface MeasurePlan {
  /** Text by name, fragments in place. */
  readonly probes: Readonly<Record<string, string>>;
  /** Names of those that are to count while the others are still being loaded. */
  readonly first: readonly string[];
  readonly kinds: MapKinds;
  readonly intervalMs: number;
  readonly bpftrace: ChildOptions;
  readonly budget: {
    /** Of one core, for the programs of all probes together. */
    readonly cpuPercent: number;
    readonly sampleInterval: number;
    /** Names of the probes that may be switched off, in this order. */
    readonly order: readonly string[];
    /** By probe: what it takes at a switch of threads, for nodes on which nothing can be measured. */
    readonly switchNs: Readonly<Record<string, number>>;
  };
}

/** Plain data. */
export interface MeasureState extends SupervisorState {
  readonly cost: CostState;
  readonly libraries: LibraryState;
  /** By probe that this kernel or bpftrace does not take, though others are: what it said. */
  readonly refused: Map<string, string>;
}

export const newMeasureState = (): MeasureState => ({
  ...newSupervisorState(),
  cost: new Map(),
  libraries: { attached: 0, waiting: 0 },
  refused: new Map(),
});

export interface Measuring {
  readonly log: PlainLog;
  readonly signal: AbortSignal;
  /** Kept up to date while measuring. */
  readonly state: MeasureState;
  readonly onSnapshot: (snapshot: Snapshot) => void;
}

/** A bpftrace that cannot be switched today is not compiled again and again. */
const pauseAfterFailureMs = 600_000;
/** Loading takes time by the length of the program: one of a smaller part than this stands in for the whole. */
const standInPart = 1 / 4;

/** Runs until the signal aborts; resolves when bpftrace is gone. */
export const measure = (
  { probes, first, kinds, intervalMs, bpftrace, budget }: MeasurePlan,
  { log, signal, state, onSnapshot }: Measuring,
): Promise<void> => {
  const { maxMapKeys } = bpftrace;
  const textsOf = ({ off, coming, files }: Omit<Program, 'text'>) =>
    Object.fromEntries(
      Object.entries(probes)
        .filter(([name]) => ![...off, ...coming, ...state.refused.keys()].includes(name))
        .filter(([, text]) => files.length > 0 || !hasUprobes(text))
        .map(([name, text]) => [name, withTracedFiles(text, files)]),
    );
  const programOf = (
    off: readonly string[],
    files: readonly TracedFile[],
    coming: readonly string[] = [],
  ): Program => ({
    off,
    coming,
    files,
    text: (token) =>
      withAsleep(
        compose(Object.values(textsOf({ off, coming, files })), noFragment, intervalMs, token),
        readAsleepNs(),
      ),
  });
  const standInFor = (whole: Program): Program | undefined => {
    const names = Object.keys(textsOf(whole));
    const standIn = programOf(
      whole.off,
      [],
      names.filter((name) => !first.includes(name)),
    );
    const { length } = standIn.text(0);
    return standIn.coming.length < names.length && length <= standInPart * whole.text(0).length
      ? standIn
      : undefined;
  };
  let hasTried = false;
  /** One program that is refused keeps all from being loaded: each probe is tried by itself. */
  const leaveOutRefused = async (stop: AbortSignal): Promise<void> => {
    const names = Object.keys(textsOf({ off: [], coming: [], files: [] }));
    if (names.length < 2 || hasTried) return;
    hasTried = true;
    log.warn({ probes: names }, 'looking for the probe that is not taken; this takes seconds for each');
    const refused = new Map<string, string>();
    for (const name of names) {
      const alone = programOf(
        names.filter((one) => one !== name),
        [],
      );
      const why = await refusalOf(alone, { ...bpftrace, log, state }, stop);
      if (why !== undefined) refused.set(name, why);
    }
    if (refused.size === names.length) return;
    for (const [probe, why] of refused) {
      state.refused.set(probe, why);
      log.error({ probe, why }, 'probe left out: this kernel or bpftrace does not take it');
    }
  };
  const observeFill = createFillWatch(maxMapKeys, (map, entries) => {
    log.warn({ map, entries, maxMapKeys }, 'a kernel map is filling up');
    return supervisor.handOver('map fill');
  });
  const supervisor = createSupervisor({
    ...bpftrace,
    program: programOf([], []),
    standInFor,
    kinds,
    log,
    state,
    onSnapshot: (snapshot) => {
      observeFill(snapshot);
      onSnapshot(snapshot);
    },
    isStale: createSleepWatch(),
    onRefused: leaveOutRefused,
  });
  // One that is still attaching has only some of its programs.
  const pid = () => (state.running ? state.pid : undefined);
  const owned = () => ownedPrograms(textsOf(supervisor.program()));
  const budgeting = createBudget(budget.cpuPercent / 100, budget.order);
  let notBeforeMs = -Infinity;
  const onSample = async (load: Load): Promise<void> => {
    if (performance.now() < notBeforeMs) return;
    const off = budgeting.observe(load, state.off);
    if (off === state.off) return;
    const reason = off.length > state.off.length ? 'over budget' : 'within budget again';
    const { cpuPercent } = budget;
    log.warn({ reason, off, cpuPercent, percentByProbe: percents(load) }, 'probes are switched');
    const isDone = await supervisor.handOver(reason, ({ files }) => programOf(off, files));
    if (!isDone) notBeforeMs = performance.now() + pauseAfterFailureMs;
  };
  const attach = (files: readonly TracedFile[]) =>
    supervisor.handOver('TLS libraries', ({ off }) => programOf(off, files));
  const actors: Actor[] = [
    (stop) => supervisor.run(stop),
    (stop) => watchCost({ ...budget, state: state.cost, log, pid, owned, onSample }, stop),
  ];
  if (Object.values(probes).some(hasUprobes))
    actors.push((stop) =>
      followLibraries({ state: state.libraries, isReady: () => state.running, attach }, stop),
    );
  return runGroup(actors, signal);
};

const percents = ({ shareByProbe }: Load) =>
  Object.fromEntries([...shareByProbe].map(([probe, share]) => [probe, Number((100 * share).toFixed(2))]));

const noFragment = (path: string): never => {
  throw new Error(`Expected fragments in place, got #include "${path}"`);
};
