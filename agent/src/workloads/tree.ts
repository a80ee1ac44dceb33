// In: ids that moved, and the clock; out: the paths of the cgroups, read from the tree as rarely as will do.
import type { Logger } from 'pino';
import { createBackoff } from './backoff.ts';
import { scanCgroups } from './scan.ts';
import { goneKeepsNameMs, type SourceState } from './source.ts';

/** The cgroups of this node by id. A removed one keeps its path for a while, for what its last sockets still do. */
export interface Tree {
  /** Scans when one of these ids is new, or the last scan is old; tells whether it did. Never rejects. */
  refresh(ids: readonly string[]): Promise<boolean>;
  pathOf(id: string): string | undefined;
  living(): ReadonlyMap<string, string>;
  stats(): { readonly scans: number; readonly evicted: number; readonly state: SourceState };
}

export interface TreeOptions {
  readonly root: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly scan?: typeof scanCgroups;
  /** CPU time of this process so far, in ms. */
  readonly cpuMs?: () => number;
}

interface Removed {
  readonly path: string;
  readonly removedMs: number;
}

const rescanMs = 10_000;
// Scans take at most these shares of one core, however large the tree. It is CPU time that counts: on a contended node a
// scan takes long because it waits, and the names of new cgroups should not wait for that.
const rescanShare = 1 / 100;
const newIdShare = 1 / 20;

const ownCpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

export const createTree = ({ root, log, now, scan = scanCgroups, cpuMs = ownCpuMs }: TreeOptions): Tree => {
  const removedById = new Map<string, Removed>();
  const missing = createBackoff();
  let pathById: ReadonlyMap<string, string> = new Map();
  let up: boolean | undefined;
  let scans = 0;
  let evicted = 0;
  let errors = 0;
  let scannedMs = -Infinity;
  let costMs = 0;
  let lastSuccessMs: number | undefined;

  const pathOf = (id: string): string | undefined => pathById.get(id) ?? removedById.get(id)?.path;

  const isDue = (ids: readonly string[]): boolean => {
    const nowMs = now();
    const ageMs = nowMs - scannedMs;
    if (ageMs >= Math.max(rescanMs, costMs / rescanShare)) return true;
    const wanted = ids.filter((id) => pathOf(id) === undefined && missing.isDue(id, nowMs));
    return wanted.length > 0 && ageMs >= costMs / newIdShare;
  };

  const replace = (next: ReadonlyMap<string, string>, nowMs: number): void => {
    for (const [id, path] of pathById) {
      // An id under another path is another cgroup: the kernel uses inodes again.
      if (next.get(id) === path) continue;
      evicted += 1;
      if (!next.has(id)) removedById.set(id, { path, removedMs: nowMs });
    }
    for (const [id, { removedMs }] of removedById) {
      if (next.has(id) || nowMs - removedMs > goneKeepsNameMs) removedById.delete(id);
    }
    pathById = next;
  };

  const rescan = async (): Promise<boolean> => {
    const startCpuMs = cpuMs();
    scannedMs = now();
    scans += 1;
    try {
      const seen = await scan(root);
      lastSuccessMs = now();
      costMs = cpuMs() - startCpuMs;
      errors += seen.errors;
      replace(seen.pathById, lastSuccessMs);
      missing.sweep(lastSuccessMs);
      if (up === false) log.info({ root }, 'The cgroup tree is readable again');
      up = true;
      return true;
    } catch (error) {
      errors += 1;
      if (up !== false)
        log.error({ root, err: error }, 'The cgroup tree is not readable, what is known stays in force');
      up = false;
      return false;
    }
  };

  return {
    refresh: async (ids) => {
      if (!isDue(ids)) return false;
      const scanned = await rescan();
      for (const id of ids) {
        if (pathOf(id) !== undefined) missing.delete(id);
        else if (missing.isDue(id, now())) missing.failed(id, now());
      }
      return scanned;
    },
    pathOf,
    living: () => pathById,
    stats: () => ({
      scans,
      evicted,
      state: {
        name: 'cgroups',
        up: up === true,
        errors,
        ...(lastSuccessMs !== undefined && { lastSuccessMs }),
      },
    }),
  };
};
