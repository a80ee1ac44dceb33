// In: cgroup ids as bpftrace prints them; out: the workload of each, from the static table, Kubernetes and Docker.
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createAttribution } from './attribute.ts';
import type { listContainers } from './docker-api.ts';
import { createDockerSource } from './docker.ts';
import { createKubernetesSource } from './kubernetes.ts';
import { lineageOf } from './lineage.ts';
import type { WorkloadsConfig } from './schema.ts';
import type { Source, SourceState } from './source.ts';
import { createStaticSource } from './static.ts';
import { createTree } from './tree.ts';
import { unknownWorkload } from './workload.ts';
import type { Workload } from './workload.ts';

export { findCgroupRoot } from './mountinfo.ts';

/** A living cgroup whose workload is known; `path` is as in /proc/PID/cgroup. */
export interface KnownCgroup {
  readonly cgroupId: string;
  readonly path: string;
  readonly workload: Workload;
  readonly source: string;
}

export interface WorkloadsStats {
  /** Living cgroups, named or not. */
  readonly cgroups: number;
  /** Of the ids that moved in the last interval, those without a workload. */
  readonly unknown: number;
  readonly scans: number;
  readonly evicted: number;
  readonly sources: readonly SourceState[];
}

export interface Workloads {
  /**
   * Looks up the ids that moved in this interval, which costs next to nothing when all are known. Resolves when the
   * table is as good as it can be now, half a second later than the scan at the latest; never rejects.
   */
  resolve(cgroupIds: Iterable<string>): Promise<void>;
  /** Listens to the sources that tell by themselves, until `signal` aborts; never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** The workload of a cgroup, `unknownWorkload` when nothing names it. */
  workloadOf(cgroupId: string): Workload;
  list(): readonly KnownCgroup[];
  stats(): WorkloadsStats;
}

export interface WorkloadsOptions {
  readonly config: WorkloadsConfig;
  /** The node's name in Kubernetes. */
  readonly nodeName: string;
  readonly cgroupRoot: string;
  readonly log: Logger;
  /** How to ask Docker where this process may not. */
  readonly listContainers?: typeof listContainers;
  /** Milliseconds since the epoch that never go back. */
  readonly now?: () => number;
}

export const monotonicNow = (): number => performance.timeOrigin + performance.now();

// A source slower than this is not waited for: its answer counts from the next interval on.
const patienceMs = 500;

/** Returns the table from cgroup ids to workloads. `resolve` is its clock; what `run` hears counts from the next one on. */
export const createWorkloads = (options: WorkloadsOptions): Workloads => {
  const { config, nodeName, cgroupRoot, log, now = monotonicNow } = options;
  const kubernetes = createKubernetesSource({ config: config.kubernetes, nodeName, log, now });
  const sources: readonly Source[] = [
    createStaticSource(config.static),
    ...(kubernetes === undefined ? [] : [kubernetes]),
    ...(config.docker.enabled === false
      ? []
      : [createDockerSource({ ...options, config: config.docker, now })]),
  ];
  const tree = createTree({ root: cgroupRoot, log, now });
  let attribute = createAttribution(sources);
  let unknown = 0;
  let last = Promise.resolve();

  const forgetAttributions = (): void => {
    attribute = createAttribution(sources);
  };

  const attributionOf = (cgroupId: string) => {
    const path = tree.pathOf(cgroupId);
    return path === undefined ? undefined : attribute(path);
  };

  const refreshSources = async (paths: readonly string[]): Promise<void> => {
    const lineage = new Set(paths.flatMap(lineageOf));
    const answers = sources.map(async (source) => {
      // Late or not, an answer is put to use when it comes.
      if (await source.refresh(lineage)) forgetAttributions();
    });
    const patience = new AbortController();
    const tooLong = setTimeout(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([Promise.all(answers), tooLong]);
    patience.abort();
  };

  const resolveNow = async (ids: readonly string[]): Promise<void> => {
    if (await tree.refresh(ids)) forgetAttributions();
    await refreshSources(ids.flatMap((id) => tree.pathOf(id) ?? []));
    unknown = ids.filter((id) => attributionOf(id) === undefined).length;
  };

  return {
    resolve: (cgroupIds) => {
      const ids = [...new Set(cgroupIds)];
      last = last
        .then(() => resolveNow(ids))
        .catch((error: unknown) => {
          log.error({ err: error }, 'The look-up of workloads failed');
        });
      return last;
    },
    run: async (signal) => {
      await Promise.all(sources.flatMap((source) => source.run?.(signal) ?? []));
    },
    workloadOf: (cgroupId) => attributionOf(cgroupId)?.workload ?? unknownWorkload,
    list: () =>
      [...tree.living()].flatMap(([cgroupId, path]) => {
        const attribution = attribute(path);
        return attribution === undefined ? [] : [{ cgroupId, path, ...attribution }];
      }),
    stats: () => {
      const { scans, evicted, state } = tree.stats();
      const states = [state, ...sources.flatMap((source) => source.state() ?? [])];
      return { cgroups: tree.living().size, unknown, scans, evicted, sources: states };
    },
  };
};
