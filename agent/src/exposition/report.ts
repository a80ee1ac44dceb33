// In: the state of the agent's parts. Out: what it tells of itself as JSON: is it well, and what can it not see here.
import type { Config } from '../config.ts';
import { metricNames } from '../series/names.ts';
import type { Store } from '../series/store.ts';
import { unknownWorkload } from '../workloads/workload.ts';
import type { FittedProbe } from '../fit.ts';
import { probesNow, type AgentState } from './self.ts';

/** `/api/v1/agent`. */
export interface AgentReport {
  readonly node: string;
  readonly version: string;
  /** Why its numbers are not those of now; null while they are. */
  readonly notReady: string | null;
  readonly historySeconds: number;
  readonly windowSeconds: number;
  /** A slowdown that nobody notices, as the verdicts have it. */
  readonly marginSeconds: number;
  readonly probes: readonly ProbeReport[];
  /** Requests since the start whose cgroup has no name. */
  readonly unknownRequests: number;
  /** Who names the cgroups, and whether they answer. */
  readonly sources: readonly { readonly name: string; readonly up: boolean }[];
}

interface ProbeReport {
  readonly name: string;
  readonly mode: FittedProbe['mode'];
  /** Switched off because the probes cost too much. */
  readonly isOverBudget: boolean;
  /** What it would take to run it in full. */
  readonly lacking: readonly { readonly found: string; readonly remedy: string }[];
}

export interface ReportOptions {
  readonly config: Pick<Config, 'node' | 'history' | 'verdict'>;
  readonly state: AgentState;
  readonly store: Store;
  readonly notReady: () => string | undefined;
}

export const agentReport = ({ config, state, store, notReady }: ReportOptions): AgentReport => ({
  node: config.node,
  version: state.info.version,
  notReady: notReady() ?? null,
  historySeconds: config.history.length / 1000,
  windowSeconds: config.history.window / 1000,
  marginSeconds: config.verdict.margin / 1000,
  probes: probesNow(state).map(({ name, mode, lacking }) => ({
    name,
    mode,
    isOverBudget: state.measuring.off.includes(name),
    lacking: lacking.map(({ name: what, found, remedy = '' }) => ({ found: `${what}: ${found}`, remedy })),
  })),
  unknownRequests: unknownRequests(store),
  sources: state.workloads.stats().sources.map(({ name, up }) => ({ name, up })),
});

const unknownRequests = ({ metrics }: Store): number => {
  let requests = 0;
  for (const metric of metrics) {
    if (metric.kind !== 'histogram' || metric.definition.name !== metricNames.duration) continue;
    for (const { workload, counts } of metric.series.values())
      if (workload.app === unknownWorkload.app) requests += counts.reduce((all, count) => all + count, 0);
  }
  return requests;
};
