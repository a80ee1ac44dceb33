// In: a process in a cgroup of a tree. Out: its CPU share or quota, by whichever version of cgroups has the CPU.
import { existsSync } from 'node:fs';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findCgroupRoots } from '../agent/src/files/read.ts';
import { cgroupRoot, type CgroupTree } from './cgroup.ts';

export interface CpuLimits {
  /** Share against others, 1024 being that of everyone. */
  readonly shares?: number;
  /** Most CPU time in each 100 ms. */
  readonly quotaMs?: number;
}

/**
 * Limits a cgroup of the tree; processes that are placed in it later are not moved by themselves where cgroup v1 has
 * the CPU. Returns what to call with their ids, and in the end, when they are gone.
 */
export const limitCpu = async (
  tree: CgroupTree,
  cgroup: string,
  { shares, quotaMs }: CpuLimits,
): Promise<{ add: (pid: number) => Promise<void>; remove: () => Promise<void> }> => {
  const { v2, v1 } = findCgroupRoots(await cgroupRoot(), await readFile('/proc/self/mountinfo', 'utf8'));
  if (v1.cpu === undefined) {
    await enableCpu(v2, join(tree.path, cgroup));
    const folder = join(v2, tree.path, cgroup);
    if (shares !== undefined)
      await writeFile(join(folder, 'cpu.weight'), String(Math.min(10_000, Math.round(shares / 10.24))));
    if (quotaMs !== undefined) await writeFile(join(folder, 'cpu.max'), `${quotaMs * 1000} 100000`);
    return { add: () => Promise.resolve(), remove: () => Promise.resolve() };
  }
  const folder = join(v1.cpu, tree.path, cgroup);
  await mkdir(folder, { recursive: true });
  if (shares !== undefined) {
    // Shares count against siblings: the tree itself must have them, too.
    for (const one of [join(folder, '..'), folder]) await writeFile(join(one, 'cpu.shares'), String(shares));
  }
  if (quotaMs !== undefined) await writeFile(join(folder, 'cpu.cfs_quota_us'), String(quotaMs * 1000));
  return {
    add: (pid) => writeFile(join(folder, 'cgroup.procs'), String(pid)),
    remove: async () => {
      await rmdir(folder);
      await rmdir(join(folder, '..')).catch(() => undefined); // Another limit of the same tree.
    },
  };
};

const enableCpu = async (root: string, path: string): Promise<void> => {
  let folder = root;
  for (const name of path.split('/').filter(Boolean)) {
    await writeFile(join(folder, 'cgroup.subtree_control'), '+cpu');
    folder = join(folder, name);
    if (!existsSync(folder)) await mkdir(folder);
  }
};
