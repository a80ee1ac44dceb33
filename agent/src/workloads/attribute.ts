// In: cgroup paths and sources of names, in order of precedence; out: whose each cgroup is, and who says so.
import { lineageOf } from './lineage.ts';
import type { Source } from './source.ts';
import type { Workload } from './workload.ts';

export interface Attribution {
  readonly workload: Workload;
  readonly source: string;
}

/**
 * Returns a function from path to attribution that remembers what it found. A cgroup belongs to the nearest of itself
 * and its ancestors that any source names, because services make cgroups of their own inside the one they are given;
 * where two sources name the same cgroup, the earlier one wins. So a rule for `system.slice` takes nothing away from
 * the containers in it, and a rule for `system.slice/docker-*.scope` does.
 */
export const createAttribution = (
  sources: readonly Pick<Source, 'name' | 'workloadAt'>[],
): ((path: string) => Attribution | undefined) => {
  const attributionByPath = new Map<string, Attribution | undefined>();

  const own = (path: string): Attribution | undefined => {
    for (const { name, workloadAt } of sources) {
      const workload = workloadAt(path);
      if (workload !== undefined) return { workload, source: name };
    }
    return undefined;
  };

  return (path) => {
    const below: string[] = [];
    let found: Attribution | undefined;
    for (const ancestor of lineageOf(path)) {
      const known = attributionByPath.has(ancestor);
      found = known ? attributionByPath.get(ancestor) : own(ancestor);
      below.push(ancestor);
      // What is remembered of an ancestor covers the ancestors of that one too.
      if (known || found !== undefined) break;
    }
    for (const descendant of below) attributionByPath.set(descendant, found);
    return found;
  };
};
