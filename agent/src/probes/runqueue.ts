// bpf/runqueue.bt: switches of threads → run-queue wait by slice, and who held the CPU meanwhile.
import { metricNames } from '../series/names.ts';
import type { Probe } from './probe.ts';

export const probe: Probe = {
  name: 'runqueue',
  // Before 5.5, the id of a cgroup is a union; before 5.8, what bpftrace calls nsecs is not the clock of start_boottime.
  leastKernel: [5, 8],
  purpose: 'Wait of threads for a CPU, and blame: whose cgroup held the CPU meanwhile',
  dispensable: 3,
  switchNs: 400,
  metrics: [
    {
      kind: 'histogram',
      name: metricNames.runqueue,
      help: 'Time for which a thread was runnable before it got a CPU, by slice.',
      labels: {},
      fields: [],
      buckets: ['@runqueue_waits'],
      sumsNs: ['@runqueue_wait_ns'],
    },
    {
      kind: 'counter',
      name: metricNames.blame,
      help: 'Part of the run-queue wait in which the culprit held the CPU; ten culprits a victim, the rest as "other".',
      labels: {},
      fields: [],
      map: '@runqueue_blame_ns',
      scale: 1e-9,
      hasCulprit: true,
    },
  ],
};
