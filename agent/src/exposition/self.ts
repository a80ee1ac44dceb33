// In: the state of the agent's parts. Out: its self-metrics: is it well, what did it skip, what does it cost.
import { readThreads } from '../bpftrace/threads.ts';
import type { History } from '../history/history.ts';
import type { FittedProbe } from '../fit.ts';
import type { ProbeCost } from '../cost/watch.ts';
import type { MeasureState } from '../measure.ts';
import type { Cost } from '../privileged.ts';
import { monotonicNow, type Workloads } from '../workloads/workloads.ts';

/** A metric that is read when a scrape comes: one value, or several by label values. */
export interface SelfMetric {
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
  readonly read: () => readonly (readonly [value: number, labels?: Readonly<Record<string, string>>])[];
}

/** What self-metrics are made of. */
export interface AgentState {
  readonly measuring: MeasureState;
  readonly workloads: Workloads;
  readonly probes: readonly Pick<FittedProbe, 'name' | 'mode' | 'lacking'>[];
  readonly info: { readonly version: string; readonly bpftrace: string; readonly kernel: string };
  readonly privilegedCost: () => Cost;
  readonly maxMapKeys: number;
  /** Entries by map, as of the latest snapshot. */
  readonly mapEntries: ReadonlyMap<string, number>;
  readonly history: History;
}

/** Seconds since the latest snapshot of the kernel's maps; undefined before the first. */
export const snapshotAgeSeconds = ({ lastSnapshotMs }: MeasureState): number | undefined =>
  lastSnapshotMs === undefined ? undefined : (monotonicNow() - lastSnapshotMs) / 1000;

/** What was thought to fit and is refused all the same does not run. */
export const probesNow = ({
  probes,
  measuring,
}: Pick<AgentState, 'probes' | 'measuring'>): AgentState['probes'] =>
  probes.map((probe) => {
    const why = measuring.refused.get(probe.name);
    if (why === undefined) return probe;
    const finding = { name: 'bpftrace', status: 'missing', found: why, remedy: refusalRemedy } as const;
    return { ...probe, mode: 'none', lacking: [finding] };
  });

const refusalRemedy = 'please report it with the versions of kernel and bpftrace; the other probes run';

export const selfMetrics = (state: AgentState): readonly SelfMetric[] => [
  gauge('agent_info', 'Versions; always 1.', () => [[1, { ...state.info }]]),
  gauge(
    'agent_snapshot_age_seconds',
    'Time since the kernel was last read; NaN before the first time.',
    () => [[snapshotAgeSeconds(state.measuring) ?? NaN]],
  ),
  counter('agent_cpu_seconds_total', 'CPU time of the agent itself, without bpftrace.', () => {
    const { user, system } = process.cpuUsage();
    return [[(user + system) / 1e6 + state.privilegedCost().cpuSeconds]];
  }),
  gauge(
    'agent_resident_memory_bytes',
    'Memory of the agent itself, without bpftrace; what its two processes share counts once.',
    () => [[process.memoryUsage.rss() + state.privilegedCost().residentBytes]],
  ),
  gauge('probe_up', 'Whether the probe is loaded and delivers.', () =>
    probesNow(state).map(({ name, mode }) => [
      mode !== 'none' && isRunning(state.measuring, name) ? 1 : 0,
      { probe: name },
    ]),
  ),
  gauge('probe_over_budget', 'Whether the probe is switched off because the probes cost too much.', () =>
    state.probes.map(({ name }) => [state.measuring.off.includes(name) ? 1 : 0, { probe: name }]),
  ),
  gauge('probe_info', 'How much of the probe this node should run: full or reduced; always 1.', () =>
    state.probes.flatMap(({ name, mode }) => (mode === 'none' ? [] : [[1, { probe: name, mode }]])),
  ),
  counter('probe_restarts_total', 'Times that bpftrace ended and was started again.', () => [
    [state.measuring.restarts],
  ]),
  counter('probe_handovers_total', 'Times that a fresh bpftrace took over from the running one.', () => [
    [state.measuring.handovers],
  ]),
  counter(
    'probe_handover_doubtful_events_total',
    'Events that handovers may have counted twice or not at all, at most.',
    () => [[state.measuring.doubtfulEvents]],
  ),
  counter(
    'probe_handover_forgotten_connections_total',
    'WebSocket connections that were open at a handover: from then on they are in no metric.',
    () => [[state.measuring.forgotten]],
  ),
  counter('probe_kernel_seconds_total', 'CPU time of the programs of a probe, estimated from samples.', () =>
    costs(state, ({ seconds }) => seconds),
  ),
  counter('probe_runs_total', 'Runs of the programs of a probe, estimated from samples.', () =>
    costs(state, ({ runs }) => runs),
  ),
  counter(
    'probe_recursion_misses_total',
    'Runs of a program that the kernel left out because another was at work on that CPU.',
    () => costs(state, ({ misses }) => misses),
  ),
  counter('probe_parse_errors_total', 'Lines from bpftrace that could not be read and were skipped.', () => [
    [state.measuring.brokenLines],
  ]),
  counter('probe_lost_events_total', 'Events that bpftrace says it lost.', () => [
    [state.measuring.lostEvents],
  ]),
  gauge('probe_map_entries', 'Entries of a kernel map; what does not fit into a full one is lost.', () =>
    [...state.mapEntries].map(([map, entries]) => [entries, { map: map.slice(1) }]),
  ),
  gauge('probe_map_capacity', 'Most entries that a kernel map can hold.', () => [[state.maxMapKeys]]),
  gauge('node_threads', 'Threads of the node: some kernel maps have an entry for each of them.', () => {
    const threads = readThreads();
    return threads === undefined ? [] : [[threads]];
  }),
  gauge(
    'tls_libraries',
    'Files in use that have the functions of OpenSSL: looked into (attached), or not, or not yet (waiting).',
    () => {
      const hasTls = state.probes.some(({ name, mode }) => name === 'tls' && mode !== 'none');
      const { attached, waiting } = state.measuring.libraries;
      return hasTls
        ? [
            [attached, { state: 'attached' }],
            [waiting, { state: 'waiting' }],
          ]
        : [];
    },
  ),
  gauge('agent_history_bytes', 'Memory of the windows that the page and the verdict are made of.', () => [
    [state.history.stats().bytes],
  ]),
  counter(
    'agent_history_windows_dropped_total',
    'Windows that went before their time, to stay within history.maxMegabytes.',
    () => [[state.history.stats().dropped]],
  ),
  gauge('agent_cgroups', 'Living cgroups with a known workload.', () => [[state.workloads.stats().cgroups]]),
  gauge(
    'agent_unknown_cgroups',
    'Cgroups that moved and have no workload: they count as app="unknown".',
    () => [[state.workloads.stats().unknown]],
  ),
  counter('agent_cgroups_evicted_total', 'Cgroups that were removed and forgotten.', () => [
    [state.workloads.stats().evicted],
  ]),
  gauge('agent_workload_source_up', 'Whether a source of workloads answers.', () =>
    state.workloads.stats().sources.map(({ name, up }) => [up ? 1 : 0, { source: name }]),
  ),
  gauge(
    'agent_workload_source_age_seconds',
    'Time since a source of workloads was last heard of; NaN before the first time.',
    () =>
      state.workloads
        .stats()
        .sources.map(({ name, lastSuccessMs = NaN }) => [
          (monotonicNow() - lastSuccessMs) / 1000,
          { source: name },
        ]),
  ),
  counter('agent_workload_source_errors_total', 'Failed requests to a source of workloads.', () =>
    state.workloads.stats().sources.map(({ name, errors }) => [errors, { source: name }]),
  ),
];

const isRunning = ({ running, off, coming }: MeasureState, probe: string): boolean =>
  running && !off.includes(probe) && !coming.includes(probe);

const costs = ({ measuring }: AgentState, valueOf: (cost: ProbeCost) => number) =>
  [...measuring.cost].map(([probe, one]) => [valueOf(one), { probe }] as const);

const metric = (
  kind: SelfMetric['kind'],
  name: string,
  help: string,
  read: SelfMetric['read'],
): SelfMetric => ({
  name: `plumbline_${name}`,
  help,
  kind,
  read,
});
const gauge = (name: string, help: string, read: SelfMetric['read']) => metric('gauge', name, help, read);
const counter = (name: string, help: string, read: SelfMetric['read']) => metric('counter', name, help, read);
