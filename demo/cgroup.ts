// In: a name. Out: cgroups of our own in the v2 hierarchy, and nothing left of them afterwards.
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findCgroupRoot } from '../agent/src/workloads/mountinfo.ts';

/** A cgroup with children, one for each process. */
export interface CgroupTree {
  /** Path below the root of the hierarchy, as in /proc/PID/cgroup. */
  readonly path: string;
  /** Makes a child, if need be, and moves a process into it. */
  readonly place: (child: string, pid: number) => Promise<void>;
  /** Ends what still runs in it, and removes it. */
  readonly remove: () => Promise<void>;
}

/** Mount point of the cgroup v2 hierarchy. @throws Error when there is none */
export const cgroupRoot = async (): Promise<string> => {
  const root = findCgroupRoot(await readFile('/proc/self/mountinfo', 'utf8'));
  if (root === undefined)
    throw new Error('cgroup v2 is not mounted. Remedy: "npx plumbline check" tells more');
  return root;
};

/**
 * Makes the cgroup PREFIX-PID. Those that an earlier run with this prefix left, because it was killed, are
 * removed first: their process id is no more.
 */
export const createCgroupTree = async (prefix: string): Promise<CgroupTree> => {
  const root = await cgroupRoot();
  for (const name of await readdir(root)) {
    const pid = Number(name.slice(prefix.length + 1));
    if (name.startsWith(`${prefix}-`) && pid > 0 && !isRunning(pid)) await removeTree(join(root, name));
  }
  const name = `${prefix}-${process.pid}`;
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  return {
    path: `/${name}`,
    place: async (child, pid) => {
      await mkdir(join(folder, child), { recursive: true });
      await writeFile(join(folder, child, 'cgroup.procs'), String(pid));
    },
    remove: () => removeTree(folder),
  };
};

const removeTree = async (folder: string): Promise<void> => {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  }
  for (let attempt = 0; attempt < 50; attempt++) {
    const pids = (await readFile(join(folder, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean);
    for (const pid of pids) kill(Number(pid));
    try {
      await rmdir(folder);
      return;
    } catch {
      await sleep(100); // A process that was killed leaves its cgroup only when it is gone.
    }
  }
  throw new Error(`${folder} is still in use`);
};

/** Whether a process with this id is there. */
export const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
};
