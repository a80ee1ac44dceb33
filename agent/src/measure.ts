// In: probes and what they may cost. Out: snapshots of their maps, and what they do cost; all of it takes rights.
import type { ChildOptions } from './bpftrace/child.ts';
import { compose, ownedPrograms } from './bpftrace/compose.ts';
import { createFillWatch } from './bpftrace/fill.ts';
import type { Program, Snapshot } from './bpftrace/run.ts';
import { createSupervisor, newSupervisorState, type SupervisorState } from './bpftrace/supervise.ts';
import { watchCost, type CostState } from './cost/watch.ts';
import { runGroup } from './group.ts';
import type { PlainLog } from './log.ts';

export interface MeasurePlan {
  /** Text by name, fragments in place. */
  readonly probes: Readonly<Record<string, string>>;
  /** Maps of gauges. */
  readonly levels: readonly string[];
  readonly intervalMs: number;
  readonly bpftrace: ChildOptions;
  readonly budget: { readonly sampleInterval: number };
}

/** Plain data. */
export interface MeasureState extends SupervisorState {
  readonly cost: CostState;
}

export const newMeasureState = (): MeasureState => ({ ...newSupervisorState(), cost: new Map() });

export interface Measuring {
  readonly log: PlainLog;
  readonly signal: AbortSignal;
  /** Kept up to date while measuring. */
  readonly state: MeasureState;
  readonly onSnapshot: (snapshot: Snapshot) => void;
}

/** Runs until the signal aborts; resolves when bpftrace is gone. */
export const measure = (
  { probes, levels, intervalMs, bpftrace, budget }: MeasurePlan,
  { log, signal, state, onSnapshot }: Measuring,
): Promise<void> => {
  const { maxMapKeys } = bpftrace;
  const program: Program = (token) => compose(Object.values(probes), noFragment, intervalMs, token);
  const observeFill = createFillWatch(maxMapKeys, (map, entries) => {
    log.warn({ map, entries, maxMapKeys }, 'a kernel map is filling up');
    return supervisor.handOver(program, 'map fill');
  });
  const supervisor = createSupervisor({
    ...bpftrace,
    program,
    levels,
    log,
    state,
    onSnapshot: (snapshot) => {
      observeFill(snapshot);
      onSnapshot(snapshot);
    },
  });
  // One that is still attaching has only some of its programs.
  const running = () =>
    state.pid === undefined || !state.running ? undefined : { pid: state.pid, owned: ownedPrograms(probes) };
  return runGroup(
    [
      (stop) => supervisor.run(stop),
      (stop) => watchCost({ ...budget, state: state.cost, log, running }, stop),
    ],
    signal,
  );
};

const noFragment = (path: string): never => {
  throw new Error(`Expected fragments in place, got #include "${path}"`);
};
