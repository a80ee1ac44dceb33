// In: a plan. Out: what takes rights: the kernel's snapshots and Docker's containers, had here or in another process.
import { untilAborted } from './group.ts';
import { measure, type MeasurePlan, type Measuring } from './measure.ts';
import { listContainers } from './workloads/docker-api.ts';

/** What is to be done with rights; plain data. */
export interface Plan {
  /** Undefined when this node can run no probe. */
  readonly measure: MeasurePlan | undefined;
  /** Undefined when Docker is not to be asked. */
  readonly dockerSocket: string | undefined;
}

/** CPU time and memory of the process that has the rights, where it is not this one; without bpftrace. */
export interface Cost {
  readonly cpuSeconds: number;
  /** Without the code that it shares with this process. */
  readonly residentBytes: number;
}

export interface Privileged {
  /** Runs until the signal aborts; resolves when bpftrace is gone. */
  readonly measure: (plan: Plan, measuring: Measuring) => Promise<void>;
  /** Takes rights because whoever may talk to Docker is as good as root. */
  readonly listContainers: typeof listContainers;
  readonly cost: () => Cost;
}

/** All of it in this process. */
export const privilegedHere: Privileged = {
  measure: ({ measure: plan }, measuring) =>
    plan === undefined ? untilAborted(measuring.signal) : measure(plan, measuring),
  listContainers,
  cost: () => ({ cpuSeconds: 0, residentBytes: 0 }),
};
