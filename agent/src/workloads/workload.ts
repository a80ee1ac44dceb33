// In: nothing; out: the names under which everything that a cgroup does is counted.

/** Whom a cgroup works for: the labels that each series of it carries. */
export interface Workload {
  readonly namespace: string;
  readonly app: string;
  readonly version: string;
}

/** Stands for each cgroup that nothing names: it is counted, never dropped. */
export const unknownWorkload: Workload = { namespace: 'unknown', app: 'unknown', version: 'unknown' };
