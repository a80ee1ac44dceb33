import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { workloadsSchema } from '../../agent/src/workloads/schema.ts';
import { createWorkloads, findCgroupRoot } from '../../agent/src/workloads/workloads.ts';

const cgroupRoot = findCgroupRoot(readFileSync('/proc/self/mountinfo', 'utf8'));
const missing = [
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...(cgroupRoot === undefined ? ['a cgroup v2 mount'] : []),
];
const required = process.env.CI === 'true';
const title = missing.length === 0 ? 'The cgroup tree' : `The cgroup tree (missing: ${missing.join(', ')})`;
if (missing.length > 0 && !required) process.stderr.write(`Skipped: ${title}\n`);

const cleanUps: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

describe.skipIf(missing.length > 0 && !required)(title, () => {
  const setUp = () => {
    expect(missing).toEqual([]);
    const root = cgroupRoot ?? '/sys/fs/cgroup';
    const name = `plumbline-test-${process.pid}`;
    let skippedMs = 0;
    const make = (path: string): string => {
      const directory = join(root, name, path);
      mkdirSync(directory);
      cleanUps.push(() => {
        rmdirSync(directory);
      });
      return directory;
    };
    make('');
    const workloads = createWorkloads({
      config: workloadsSchema.parse({
        static: [{ cgroup: `${name}/shop-*`, app: 'shop', version: '$1' }],
        docker: { enabled: false },
      }),
      nodeName: 'n1',
      cgroupRoot: root,
      log: pino({ level: 'silent' }),
      now: () => performance.timeOrigin + performance.now() + skippedMs,
    });
    const skip = (ms: number): void => {
      skippedMs += ms;
    };
    return { root, name, workloads, make, skip };
  };

  /** A process in a cgroup, and the id of that cgroup by way of the process. */
  const runIn = (directory: string, root: string): { readonly cgroupId: string; end(): Promise<void> } => {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    const end = async (): Promise<void> => {
      child.kill('SIGKILL');
      await ended;
    };
    cleanUps.push(end);
    writeFileSync(join(directory, 'cgroup.procs'), `${child.pid ?? ''}`);
    const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${child.pid ?? ''}/cgroup`, 'utf8'))?.[1] ?? '';
    return { cgroupId: lstatSync(join(root, path), { bigint: true }).ino.toString(), end };
  };

  it('names the cgroup of a process, also in a cgroup of its own making, and evicts it', async () => {
    const { root, name, workloads, make, skip } = setUp();
    await workloads.resolve([]);
    const v1 = runIn(make('shop-v1'), root);
    const inner = runIn(make('shop-v1/worker'), root);
    const other = runIn(make('other'), root);
    skip(1000);
    await workloads.resolve([v1.cgroupId, inner.cgroupId, other.cgroupId]);
    const workload = { namespace: 'host', app: 'shop', version: 'v1' };
    expect(workloads.workloadOf(v1.cgroupId)).toEqual(workload);
    expect(workloads.workloadOf(inner.cgroupId)).toEqual(workload);
    expect(workloads.workloadOf(other.cgroupId).app).toBe('unknown');
    expect(workloads.stats()).toMatchObject({ unknown: 1, scans: 2 });
    expect(workloads.list().map(({ path }) => path)).toEqual([`/${name}/shop-v1`, `/${name}/shop-v1/worker`]);

    for (const cleanUp of cleanUps.splice(1).reverse()) await cleanUp();
    skip(10_000);
    await workloads.resolve([v1.cgroupId]);
    expect(workloads.list()).toEqual([]);
    expect(workloads.stats().evicted).toBeGreaterThanOrEqual(3);
    expect(workloads.workloadOf(v1.cgroupId)).toEqual(workload);
  });

  it('is scanned without harm while cgroups come and go', async () => {
    const { root, name, workloads, make, skip } = setUp();
    const v1 = runIn(make('shop-v1'), root);
    const churn = make('churn');
    const script = 'while [ ! -e stop ]; do mkdir -p a/b c d/e/f; rmdir -p a/b c d/e/f 2>/dev/null; done';
    const child = spawn('sh', ['-c', script], { cwd: churn, stdio: 'ignore' });
    const ended = once(child, 'exit');
    // Killed, it would leave a mkdir that goes on, and what that makes.
    cleanUps.push(async () => {
      const stop = join(churn, 'stop');
      mkdirSync(stop);
      await ended;
      rmdirSync(stop);
    });
    await setTimeout(50);
    const seen = new Set<number>();
    for (let scan = 0; scan < 300; scan += 1) {
      skip(10_000);
      await workloads.resolve([v1.cgroupId]);
      seen.add(workloads.stats().cgroups);
    }
    expect(seen.size).toBeGreaterThan(1);
    expect(workloads.stats()).toMatchObject({ scans: 300, sources: [{ up: true, errors: 0 }] });
    expect(workloads.list().map(({ path }) => path)).toEqual([`/${name}/shop-v1`]);
  });
});
