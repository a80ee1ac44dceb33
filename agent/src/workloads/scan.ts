// In: the root of a cgroup v2 tree; out: the path of each cgroup in it, by its id.
import { lstatSync, readdirSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

/** What a scan saw: paths as in /proc/PID/cgroup (`/` is the root) by cgroup id, and how many directories it could not read. */
export interface CgroupScan {
  readonly pathById: ReadonlyMap<string, string>;
  readonly errors: number;
}

// Reading kernfs never waits for a device and takes microseconds, a tenth of what a promise a call costs;
// the event loop gets its turn after so many directories.
const directoriesPerTurn = 250;

/**
 * Scans the tree. The id of a cgroup is the inode of its directory, 64 bits, hence a string. A directory that
 * vanishes meanwhile is normal; throws only when the root itself cannot be read.
 */
export const scanCgroups = async (root: string): Promise<CgroupScan> => {
  const pathById = new Map<string, string>();
  const pending = ['/'];
  let errors = 0;
  for (let path = pending.pop(), visited = 1; path !== undefined; path = pending.pop(), visited += 1) {
    if (visited % directoriesPerTurn === 0) await setImmediate();
    try {
      const stats = lstatSync(root + path, { bigint: true });
      pathById.set(stats.ino.toString(), path);
      if (hasChildren(stats)) pending.push(...childrenOf(root, path));
    } catch (error) {
      if (path === '/') throw error;
      if (!hasVanished(error)) errors += 1;
    }
  }
  return { pathById, errors };
};

// A directory in kernfs has two links and one more for each child, so most need not be read.
const hasChildren = ({ nlink }: BigIntStats): boolean => nlink !== 2n;

const childrenOf = (root: string, path: string): readonly string[] =>
  readdirSync(root + path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => (path === '/' ? `/${name}` : `${path}/${name}`));

// A cgroup removed between readdir and stat gives ENOENT, one removed while it is open ENODEV.
const hasVanished = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENODEV');
