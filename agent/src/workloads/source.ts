// In: nothing; out: what a source of workload names (static table, Kubernetes, Docker) offers, and for how long.
import type { Workload } from './workload.ts';

/** What is gone, cgroup, container or pod, keeps its name for so long, for what its last connections still do. */
export const goneKeepsNameMs = 300_000;

/** How a source fares, as the self-metrics show it; `lastSuccessMs` is a point in time, in ms since the epoch. */
export interface SourceState {
  readonly name: string;
  readonly up: boolean;
  readonly errors: number;
  readonly lastSuccessMs?: number;
}

/** One way to name cgroups. Paths are as in /proc/PID/cgroup: from the root of the tree, with a leading slash. */
export interface Source {
  readonly name: string;
  /** The workload whose cgroup is exactly this one; its ancestors are the caller's business. */
  workloadAt(path: string): Workload | undefined;
  /**
   * Reads anew if there is a reason: the time, or one of these paths, those of the cgroups that moved just now and
   * of their ancestors. Tells whether it did; never rejects.
   */
  refresh(paths: Iterable<string>): Promise<boolean>;
  /** For a source that listens: runs until `signal` aborts, and never rejects. */
  readonly run?: (signal: AbortSignal) => Promise<void>;
  /** Nothing for a source that cannot fail, or that this node does not have. */
  state(): SourceState | undefined;
}
