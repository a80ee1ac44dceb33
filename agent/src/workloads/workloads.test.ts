import { once } from 'node:events';
import { lstatSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { workloadsSchema } from './schema.ts';
import { unknownWorkload } from './workload.ts';
import { createWorkloads } from './workloads.ts';

const containerId = 'a1'.repeat(32);
const rule = { cgroup: 'demo/*', namespace: 'demo', app: 'shop', version: '$1' };
const unknownId = '18446744073709551615';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** A table over a tree of plain directories, which have inodes like any other, on a clock of the test's own. */
const setUp = (docker: object = { enabled: false }) => {
  const root = mkdtempSync(join(tmpdir(), 'plumbline-workloads-'));
  cleanUps.push(() => {
    rmSync(root, { recursive: true, force: true });
  });
  const clock = { nowMs: 1_000_000 };
  const workloads = createWorkloads({
    config: workloadsSchema.parse({ static: [rule], docker }),
    nodeName: 'n1',
    cgroupRoot: root,
    log: pino({ level: 'silent' }),
    now: () => clock.nowMs,
  });
  const make = (path: string): string => {
    mkdirSync(join(root, path), { recursive: true });
    return lstatSync(join(root, path), { bigint: true }).ino.toString();
  };
  const remove = (path: string): void => {
    rmSync(join(root, path), { recursive: true });
  };
  const second = async (...ids: readonly string[]): Promise<void> => {
    clock.nowMs += 1000;
    await workloads.resolve(ids);
  };
  return { root, workloads, make, remove, second };
};

const startDocker = async (answer: (response: ServerResponse) => void): Promise<string> => {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-docker-'));
  const socket = join(directory, 'docker.sock');
  const server = createServer((_, response) => {
    answer(response);
  }).listen(socket);
  await once(server, 'listening');
  cleanUps.push(() => {
    server.close();
    server.closeAllConnections();
    rmSync(directory, { recursive: true, force: true });
  });
  return socket;
};

describe('workloads', () => {
  it('knows nobody before the first look-up', () => {
    const { workloads } = setUp();
    expect(workloads.workloadOf('1')).toBe(unknownWorkload);
    expect(workloads.list()).toEqual([]);
  });

  it('names a new cgroup, and what lies in it, within one interval', async () => {
    const { workloads, make, second } = setUp();
    await second();
    const v1 = make('demo/v1');
    const worker = make('demo/v1/worker');
    await second(v1, worker);
    const workload = { namespace: 'demo', app: 'shop', version: 'v1' };
    expect(workloads.workloadOf(v1)).toEqual(workload);
    expect(workloads.workloadOf(worker)).toEqual(workload);
    expect(workloads.list()).toContainEqual({ cgroupId: v1, path: '/demo/v1', workload, source: 'static' });
  });

  it('counts what it cannot name: ids without a cgroup, cgroups without a workload', async () => {
    const { workloads, make, second } = setUp();
    const other = make('other');
    await second(other, unknownId, make('demo/v1'), 'not a number');
    expect(workloads.workloadOf(other)).toEqual(unknownWorkload);
    expect(workloads.workloadOf(unknownId)).toEqual(unknownWorkload);
    expect(workloads.stats()).toMatchObject({ cgroups: 4, unknown: 3, scans: 1 });
  });

  it('evicts a removed cgroup, whose last events still count for it', async () => {
    const { workloads, make, remove, second } = setUp();
    const v1 = make('demo/v1');
    await second(v1);
    remove('demo/v1');
    for (let elapsed = 0; elapsed < 12; elapsed += 1) await second(v1);
    expect(workloads.list()).toEqual([]);
    expect(workloads.stats().evicted).toBe(1);
    expect(workloads.workloadOf(v1).version).toBe('v1');
    for (let elapsed = 0; elapsed < 315; elapsed += 1) await second();
    expect(workloads.workloadOf(v1)).toEqual(unknownWorkload);
  });

  it('goes on when the tree disappears', async () => {
    const { workloads, root, make, second } = setUp();
    const v1 = make('demo/v1');
    await second(v1);
    rmSync(root, { recursive: true });
    for (let elapsed = 0; elapsed < 12; elapsed += 1) await second(v1);
    expect(workloads.workloadOf(v1).version).toBe('v1');
    expect(workloads.stats().sources).toMatchObject([{ name: 'cgroups', up: false }]);
  });

  it('looks one set up after the other, in the order they came', async () => {
    const { workloads, make } = setUp();
    const ids = [make('demo/v1'), make('demo/v2'), unknownId];
    await Promise.all([
      workloads.resolve(ids),
      workloads.resolve([unknownId]),
      workloads.resolve(ids.slice(0, 2)),
    ]);
    expect(workloads.stats()).toMatchObject({ unknown: 0, scans: 1 });
  });

  it('prefers the static table to Docker for the same cgroup, and takes both into account', async () => {
    const containers = [containerId, 'b2'.repeat(32)].map((Id) => ({ Id, Names: ['/web'], Image: 'web:v9' }));
    const socket = await startDocker((response) => response.end(JSON.stringify(containers)));
    const { workloads, make, second } = setUp({ socket });
    const named = make(`demo/${containerId}`);
    const plain = make(`docker/${'b2'.repeat(32)}/init`);
    await second(named, plain);
    expect(workloads.workloadOf(named).app).toBe('shop');
    expect(workloads.workloadOf(plain)).toEqual({ namespace: 'docker', app: 'web', version: 'v9' });
    expect(
      workloads
        .list()
        .map(({ source }) => source)
        .sort(),
    ).toEqual(['docker', 'docker', 'static']);
  });

  it('does not wait for a slow Docker, and uses its answer when it comes', async () => {
    let answer: (() => void) | undefined;
    const socket = await startDocker((response) => {
      answer = () => response.end(JSON.stringify([{ Id: containerId, Names: ['/web'], Image: 'web:v9' }]));
    });
    const { workloads, make, second } = setUp({ socket });
    const container = make(`docker/${containerId}`);
    const v1 = make('demo/v1');
    const startMs = performance.now();
    await second(container, v1);
    await second(container, v1);
    expect(performance.now() - startMs).toBeLessThan(1000);
    expect(workloads.workloadOf(v1).version).toBe('v1');
    expect(workloads.workloadOf(container)).toEqual(unknownWorkload);
    answer?.();
    await expect.poll(() => workloads.workloadOf(container).app).toBe('web');
  });
});
