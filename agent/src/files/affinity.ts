// In: cgroups and their processes. Out: the CPUs that each may run on, be it by cpuset or by sched_setaffinity(2).
import { parseCpuList } from './parse.ts';
import { readText } from './read.ts';

/** Returns the CPUs that a cgroup's first process may run on, as seen within the last minute; undefined without one. */
export type CpusOf = (path: string) => readonly number[] | undefined;

/** Affinities change seldom. */
const keptMs = 60_000;

/** @param read the text of a file, undefined if there is none */
export const createAffinities = (
  cgroupRoot: string,
  read: (file: string) => string | undefined = readText,
  now: () => number = () => performance.now(),
): { readonly cpusOf: CpusOf; readonly keep: (paths: ReadonlySet<string>) => void } => {
  const known = new Map<string, { readonly cpus: readonly number[] | undefined; readonly atMs: number }>();
  const look = (path: string): readonly number[] | undefined => {
    const pid = /^\d+/.exec(read(`${cgroupRoot}${path}/cgroup.procs`) ?? '')?.[0];
    const status = pid === undefined ? undefined : read(`/proc/${pid}/status`);
    return parseCpuList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status ?? '')?.[1] ?? '');
  };
  return {
    cpusOf: (path) => {
      const last = known.get(path);
      if (last !== undefined && now() - last.atMs < keptMs) return last.cpus;
      const cpus = look(path) ?? last?.cpus;
      known.set(path, { cpus, atMs: now() });
      return cpus;
    },
    keep: (paths) => {
      for (const path of known.keys()) if (!paths.has(path)) known.delete(path);
    },
  };
};
