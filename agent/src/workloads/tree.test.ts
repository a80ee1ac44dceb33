import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { CgroupScan } from './scan.ts';
import { createTree } from './tree.ts';

/** A tree over a scan and a clock of the test's own. */
const setUp = () => {
  const world = {
    nowMs: 1_000_000,
    durationMs: 10,
    waitMs: 0,
    cpuMs: 0,
    paths: { '1': '/', '7': '/a' } as Readonly<Record<string, string>>,
    errors: 0,
    failure: undefined as Error | undefined,
    lines: [] as string[],
  };
  const scan = (): Promise<CgroupScan> => {
    world.nowMs += world.durationMs + world.waitMs;
    world.cpuMs += world.durationMs;
    if (world.failure !== undefined) return Promise.reject(world.failure);
    return Promise.resolve({ pathById: new Map(Object.entries(world.paths)), errors: world.errors });
  };
  const log = pino({}, { write: (line: string) => void world.lines.push(line) });
  const tree = createTree({ root: '/tree', log, now: () => world.nowMs, scan, cpuMs: () => world.cpuMs });
  const second = async (...ids: readonly string[]): Promise<number> => {
    const before = tree.stats().scans;
    await tree.refresh(ids);
    world.nowMs += 1000;
    return tree.stats().scans - before;
  };
  return { world, tree, second };
};

describe('the tree of cgroups', () => {
  it('is scanned for a new id, and not while all are known', async () => {
    const { world, tree, second } = setUp();
    expect(await second('7')).toBe(1);
    expect(tree.pathOf('7')).toBe('/a');
    expect(await second('7', '1')).toBe(0);
    world.paths = { ...world.paths, '8': '/b' };
    expect(await second('7', '8')).toBe(1);
    expect(tree.pathOf('8')).toBe('/b');
  });

  it('is scanned ever more rarely for an id that is not there, but again and again', async () => {
    const { world, tree, second } = setUp();
    let forTheId = 0;
    for (let elapsed = 0; elapsed < 300; elapsed += 1) forTheId += await second('7', '99');
    // 30 of them are the regular ones, every ten seconds.
    expect(forTheId).toBeLessThan(45);
    world.paths = { ...world.paths, '99': '/late' };
    for (let elapsed = 0; elapsed < 11; elapsed += 1) await second('99');
    expect(tree.pathOf('99')).toBe('/late');
  });

  it('is scanned for a new id at once though others are not there', async () => {
    const { world, tree, second } = setUp();
    for (let elapsed = 0; elapsed < 5; elapsed += 1) await second('99');
    world.paths = { ...world.paths, '8': '/b' };
    await second('99', '8');
    expect(tree.pathOf('8')).toBe('/b');
  });

  it('spends at most a twentieth of its time on scans, however large it is', async () => {
    const { world, second } = setUp();
    world.durationMs = 200;
    let scans = 0;
    for (let elapsed = 0; elapsed < 100; elapsed += 1) scans += await second(`new-${elapsed}`);
    expect(scans).toBeLessThanOrEqual(30);
  });

  it('is scanned for a new id as soon where a scan takes long because it waits for a CPU', async () => {
    const { world, second } = setUp();
    world.waitMs = 500;
    let scans = 0;
    for (let elapsed = 0; elapsed < 20; elapsed += 1) scans += await second(`new-${elapsed}`);
    expect(scans).toBe(20);
  });

  it('keeps the path of a removed cgroup for five minutes, as its workload does, and lists it no longer', async () => {
    const { world, tree, second } = setUp();
    await second('7');
    world.paths = { '1': '/' };
    for (let elapsed = 0; elapsed < 11; elapsed += 1) await second('7');
    expect(tree.living().has('7')).toBe(false);
    expect(tree.stats().evicted).toBe(1);
    for (let elapsed = 0; elapsed < 285; elapsed += 1) await second('7');
    expect(tree.pathOf('7')).toBe('/a');
    for (let elapsed = 0; elapsed < 30; elapsed += 1) await second('7');
    expect(tree.pathOf('7')).toBeUndefined();
  });

  it('notices that an inode was used again for another path', async () => {
    const { world, tree, second } = setUp();
    await second('7');
    world.paths = { '1': '/', '7': '/b' };
    for (let elapsed = 0; elapsed < 11; elapsed += 1) await second('7');
    expect(tree.pathOf('7')).toBe('/b');
    expect(tree.stats().evicted).toBe(1);
  });

  it('stays as it is while the root is unreadable, and says so once', async () => {
    const { world, tree, second } = setUp();
    await second('7');
    world.failure = new Error('EIO');
    for (let elapsed = 0; elapsed < 40; elapsed += 1) await second('7', '99');
    expect(tree.pathOf('7')).toBe('/a');
    expect(tree.stats().state).toMatchObject({ name: 'cgroups', up: false, lastSuccessMs: 1_000_010 });
    expect(tree.stats().state.errors).toBeGreaterThan(3);
    expect(world.lines).toHaveLength(1);
    world.failure = undefined;
    for (let elapsed = 0; elapsed < 11; elapsed += 1) await second('7');
    expect(tree.stats().state.up).toBe(true);
    expect(world.lines).toHaveLength(2);
  });
});
