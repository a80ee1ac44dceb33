// Threads that wait for a CPU, and whose doing it was, against the kernel's own books (/proc/PID/schedstat).
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonSeries } from '../../agent/src/series/json.ts';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { limitCpu, type CpuLimits } from '../../demo/cpu.ts';
import { startChild, type Child } from '../../demo/child.ts';
import { startAgent, type RunningAgent } from '../support/agent.ts';
import { describeKernel } from '../support/kernel.ts';
import { counter } from '../support/series.ts';
import { versionsIn } from '../support/servers.ts';

const lastCore = availableParallelism() - 1;
const waits = 'plumbline_runqueue_wait_seconds';
const blame = 'plumbline_cpu_blame_seconds_total';
const burn = "print('runs', flush=True)\nwhile True: pass";
/** Works for 2 ms, sleeps for 5 ms. */
const work = `import time
print('runs', flush=True)
while True:
  end = time.monotonic() + 0.002
  while time.monotonic() < end: pass
  time.sleep(0.005)`;

/** The kernel's books of the main thread: seconds spent waiting, and slices. */
const schedstat = async (pid: number) => {
  const [, waitNs, slices] = (await readFile(`/proc/${pid}/schedstat`, 'utf8')).split(' ').map(Number);
  return { waitSeconds: (waitNs ?? NaN) / 1e9, slices: slices ?? NaN };
};

describeKernel('runqueue', () => {
  let tree: CgroupTree;
  let agent: RunningAgent;
  const children: Child[] = [];

  const limitByCgroup = new Map<string, Awaited<ReturnType<typeof limitCpu>>>();

  /** Starts a program of Python on the last core; its share is so large that only those of one test meet there. */
  const start = async (cgroup: string, code: string, limit: CpuLimits = {}): Promise<Child> => {
    const child = await startChild(['python3', '-c', code], { tree, cgroup, cpu: lastCore });
    children.push(child);
    const limited =
      limitByCgroup.get(cgroup) ?? (await limitCpu(tree, cgroup, { shares: 262_144, ...limit }));
    limitByCgroup.set(cgroup, limited);
    await limited.add(child.pid);
    await child.firstLine();
    return child;
  };
  const waited = (series: JsonSeries, app: string) => {
    const [own] = (series.histograms[waits] ?? []).filter(({ labels }) => labels.app === app);
    return {
      waitSeconds: own?.sumSeconds ?? 0,
      slices: own?.counts.reduce((total, count) => total + count, 0) ?? 0,
    };
  };
  const blamed = (series: JsonSeries, victim: string): Record<string, number> =>
    Object.fromEntries(
      (series.counters[blame] ?? [])
        .filter(({ labels }) => labels.app === victim)
        .map(({ labels, value }) => [labels.culprit_app ?? '', value]),
    );

  beforeAll(async () => {
    tree = await createCgroupTree('plumbline-test-runqueue');
    agent = await startAgent(versionsIn(tree), { probes: ['runqueue'] });
  });

  afterEach(async () => {
    await Promise.all(children.splice(0).map((child) => child.stop()));
    for (const { remove } of limitByCgroup.values()) await remove();
    limitByCgroup.clear();
  });

  afterAll(async () => {
    await agent.stop();
    await tree.remove();
  });

  /** Runs a victim beside others for some seconds: what the kernel booked for it, and what was measured. */
  const compare = async (victim: Child, app: string, ms: number) => {
    const both = async () => {
      process.kill(victim.pid, 'SIGSTOP');
      let series = await agent.settledSeries();
      for (let last = -1; waited(series, app).slices !== last; series = await agent.settledSeries())
        last = waited(series, app).slices;
      return { kernel: await schedstat(victim.pid), ours: waited(series, app), blame: blamed(series, app) };
    };
    const before = await both();
    process.kill(victim.pid, 'SIGCONT');
    await sleep(ms);
    const after = await both();
    const shares = Object.entries(after.blame).map(
      ([culprit, seconds]) => [culprit, seconds - (before.blame[culprit] ?? 0)] as const,
    );
    return {
      kernelWait: after.kernel.waitSeconds - before.kernel.waitSeconds,
      kernelSlices: after.kernel.slices - before.kernel.slices,
      wait: after.ours.waitSeconds - before.ours.waitSeconds,
      slices: after.ours.slices - before.ours.slices,
      blame: Object.fromEntries(shares),
    };
  };

  test('wait and slices are those of the kernel, and the burner on the core is named', async () => {
    await start('burner-v1', burn);
    const victim = await start('victim-v1', work);
    const { kernelWait, kernelSlices, wait, slices, blame } = await compare(victim, 'victim', 4000);
    expect(kernelWait).toBeGreaterThan(0.1);
    // Short waits are put together up to 61 us, so that so much and a few slices may not be in yet.
    expect(Math.abs(wait - kernelWait)).toBeLessThan(100e-6);
    expect(Math.abs(slices - kernelSlices)).toBeLessThan(10);
    expect((blame.burner ?? 0) / wait).toBeGreaterThan(0.95);
    expect((blame.burner ?? 0) / wait).toBeLessThan(1.02);
  });

  test('of two burners, each has its part of the blame, not only the one that ran last', async () => {
    await start('left-v1', burn);
    await start('right-v1', burn);
    const victim = await start('pressed-v1', burn);
    const { wait, blame } = await compare(victim, 'pressed', 4000);
    const [left = 0, right = 0] = [blame.left, blame.right];
    expect((left + right) / wait).toBeGreaterThan(0.95);
    expect(left / (left + right)).toBeGreaterThan(0.4);
    expect(left / (left + right)).toBeLessThan(0.6);
  });

  test('a sibling in the same cgroup is a culprit like any other', async () => {
    await start('twins-v1', burn);
    await start('twins-v1', burn);
    const before = blamed(await agent.settledSeries(), 'twins').twins ?? 0;
    await sleep(4000);
    const after = blamed(await agent.settledSeries(), 'twins').twins ?? 0;
    // One of the two waits at any time.
    expect(after - before).toBeGreaterThan(2);
  });

  test("a container that its own quota throttles is nobody's victim, though another runs meanwhile", async () => {
    await start('filler-v1', burn, { shares: 2 });
    await start('throttled-v1', burn, { quotaMs: 20 });
    await sleep(1000);
    const before = await agent.settledSeries();
    await sleep(4000);
    const after = await agent.settledSeries();
    const grown = (name: string) => counter(after, name, 'throttled') - counter(before, name, 'throttled');
    expect(grown('plumbline_cpu_throttled_seconds_total')).toBeGreaterThan(2);
    expect(grown(blame)).toBeLessThan(0.3);
  });

  test('threads that live for a moment are counted before they vanish', async () => {
    const storm = `import os
for _ in range(1000):
  pid = os.fork()
  if pid == 0: os._exit(0)
  os.waitpid(pid, 0)
print('done', flush=True)
import time; time.sleep(100)`;
    await start('storm-v1', storm);
    const { slices, waitSeconds } = waited(await agent.settledSeries(), 'storm');
    // Each child ran once at least, and its parent after it.
    expect(slices).toBeGreaterThanOrEqual(1900);
    expect(waitSeconds).toBeGreaterThan(0);
  });
});
