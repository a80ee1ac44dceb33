import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCgroupReader } from '../../agent/src/files/cgroups.ts';
import { findCgroupRoots } from '../../agent/src/files/read.ts';
import { workloadsSchema } from '../../agent/src/workloads/schema.ts';
import { goneKeepsNameMs } from '../../agent/src/workloads/source.ts';
import { unknownWorkload } from '../../agent/src/workloads/workload.ts';
import { createWorkloads } from '../../agent/src/workloads/workloads.ts';
import type { Workloads } from '../../agent/src/workloads/workloads.ts';
import { createTestDocker, missingForDocker } from '../support/docker.ts';
import type { TestDocker } from '../support/docker.ts';

const missing = await missingForDocker();
const required = process.env.CI === 'true';
const title = missing.length === 0 ? 'Docker' : `Docker (missing: ${missing.join(', ')})`;
if (missing.length > 0 && !required) process.stderr.write(`Skipped: ${title}\n`);

describe.skipIf(missing.length > 0 && !required)(title, () => {
  let docker: TestDocker;
  let workloads: Workloads;
  let skippedMs = 0;
  const lines: string[] = [];

  beforeAll(async () => {
    expect(missing).toEqual([]);
    docker = await createTestDocker(['plumbline-test:1.0', 'plumbline-test:2.0']);
    workloads = createWorkloads({
      config: workloadsSchema.parse({ docker: { socket: docker.socket } }),
      nodeName: 'n1',
      cgroupRoot: docker.cgroupRoot,
      log: pino({ base: null }, { write: (line: string) => void lines.push(line) }),
      now: () => performance.timeOrigin + performance.now() + skippedMs,
    });
    await workloads.resolve([]);
    return () => docker.dispose();
  });

  const interval = async (...ids: readonly string[]): Promise<void> => {
    await setTimeout(1000);
    await workloads.resolve(ids);
  };
  /** Lets the table believe that a minute has passed: its back-offs are over, a regular scan is due. */
  const minute = async (...ids: readonly string[]): Promise<void> => {
    skippedMs += 30_000;
    await workloads.resolve(ids);
    skippedMs += 30_000;
    await workloads.resolve(ids);
  };
  const dockerState = () => workloads.stats().sources.find(({ name }) => name === 'docker');

  it('names containers by their labels, within one interval', async () => {
    const labels = { 'plumbline.namespace': 'blue', 'plumbline.app': 'shop', 'plumbline.version': 'v2' };
    const labelled = await docker.run(
      'plumbline-test:1.0',
      Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
    );
    const composed = await docker.run('plumbline-test:2.0', [
      ...['--label', 'com.docker.compose.project=market'],
      ...['--label', 'com.docker.compose.service=till'],
    ]);
    const bare = await docker.run('plumbline-test:2.0', ['--name', 'plain']);
    const ids = [labelled, composed, bare].map(({ cgroupId }) => cgroupId);
    await interval(...ids);
    expect(ids.map((id) => workloads.workloadOf(id))).toEqual([
      { namespace: 'blue', app: 'shop', version: 'v2' },
      { namespace: 'market', app: 'till', version: '2.0' },
      { namespace: 'docker', app: 'plain', version: '2.0' },
    ]);
    expect(workloads.stats()).toMatchObject({ unknown: 0 });
    expect(dockerState()).toMatchObject({ up: true, errors: 0 });
    expect(workloads.list().filter(({ source }) => source === 'docker')).toHaveLength(3);
  });

  it('evicts a container that is gone, after its last events', async () => {
    const { containerId, cgroupId } = await docker.run('plumbline-test:1.0', ['--name', 'short']);
    await interval(cgroupId);
    await docker.remove(containerId);
    await interval(cgroupId);
    expect(workloads.workloadOf(cgroupId).app).toBe('short');
    await minute(cgroupId);
    expect(workloads.list().some((known) => known.cgroupId === cgroupId)).toBe(false);
    expect(workloads.stats().evicted).toBeGreaterThanOrEqual(1);
    expect(workloads.workloadOf(cgroupId).app).toBe('short');
    // The table forgets it a minute after Docker's, at most.
    for (let elapsed = 0; elapsed <= goneKeepsNameMs / 60_000; elapsed++) await minute();
    await minute();
    expect(workloads.workloadOf(cgroupId)).toEqual(unknownWorkload);
  });

  it('reads of a container for how long its own quota throttles it', async () => {
    const { containerId, cgroupId } = await docker.run('plumbline-test:1.0', ['--cpus', '0.2']);
    const mounts = await readFile('/proc/self/mountinfo', 'utf8');
    const reader = createCgroupReader(findCgroupRoots(docker.cgroupRoot, mounts));
    const throttledUs = async () => {
      await interval(cgroupId);
      return (await reader.read(workloads.list())).maps.get('@cgroup_throttled_us')?.get(cgroupId);
    };
    expect(await throttledUs()).toBe(0);
    const burn = ['/bin/busybox', 'sh', '-c', 'while :; do :; done'];
    await docker.docker(['exec', '--detach', containerId, ...burn]);
    expect(await throttledUs()).toBeGreaterThan(100_000);
    await docker.remove(containerId);
  });

  it('names a container that was stopped and started again, in its new cgroup', async () => {
    const first = await docker.run('plumbline-test:1.0', ['--name', 'again']);
    await interval(first.cgroupId);
    const second = await docker.restart(first.containerId);
    expect(second.cgroupId).not.toBe(first.cgroupId);
    await interval(first.cgroupId, second.cgroupId);
    expect(workloads.workloadOf(second.cgroupId).app).toBe('again');
  });

  it('keeps its table while the daemon is away, and learns again after it came back', async () => {
    const before = await docker.run('plumbline-test:1.0', ['--name', 'before']);
    await interval(before.cgroupId);
    await docker.stop();
    for (let elapsed = 0; elapsed < 5; elapsed += 1) await minute(before.cgroupId);
    expect(dockerState()).toMatchObject({ up: false });
    expect(dockerState()?.errors).toBeGreaterThanOrEqual(5);
    expect(workloads.workloadOf(before.cgroupId)).toMatchObject({ app: 'before', version: '1.0' });
    expect(workloads.list().some(({ cgroupId }) => cgroupId === before.cgroupId)).toBe(true);

    await docker.start();
    const after = await docker.run('plumbline-test:2.0', ['--name', 'after']);
    // The back-off, which ends at 8 seconds, is the longest that this may take.
    skippedMs += 8000;
    await interval(before.cgroupId, after.cgroupId);
    expect(workloads.workloadOf(after.cgroupId)).toMatchObject({ app: 'after', version: '2.0' });
    expect(dockerState()).toMatchObject({ up: true });
    expect(lines.map((line) => (JSON.parse(line) as { readonly msg: string }).msg)).toEqual([
      'Docker answers',
      'Docker gives no usable answer, what is known stays in force',
      'Docker answers',
    ]);
  });
});
