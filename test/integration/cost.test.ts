// What the agent says of its own cost, against the kernel that books it.
import { expect, test } from 'vitest';
import { readFile } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBpftrace } from '../../agent/src/bpftrace/child.ts';
import { compose, ownedPrograms } from '../../agent/src/bpftrace/compose.ts';
import { between, costByProbe } from '../../agent/src/cost/attribute.ts';
import { readPrograms } from '../../agent/src/cost/programs.ts';
import { withBpfStats } from '../../agent/src/cost/switch.ts';
import { createCgroupTree } from '../../demo/cgroup.ts';
import { startChild } from '../../demo/child.ts';
import { startAgent, valueOf } from '../support/agent.ts';
import { get, openConnection } from '../support/client.ts';
import { describeKernel } from '../support/kernel.ts';
import { startNginx } from '../support/nginx.ts';
import { requestCount } from '../support/series.ts';
import { serverScript, versionsIn } from '../support/servers.ts';
import { until } from '../support/prometheus.ts';

const costOf = (metrics: string, name: string, probe: string) =>
  Number(
    new RegExp(`^plumbline_probe_${name}\\{[^}]*probe="${probe}"[^}]*\\} (\\S+)$`, 'm').exec(metrics)?.[1],
  );

describeKernel('own cost', () => {
  test('each program is booked for the probe whose it is', async () => {
    const own = `/pid == ${process.pid}/ { @a = count(); }`;
    const getting = `tracepoint:syscalls:sys_enter_getpriority ${own}`;
    const setting = `tracepoint:syscalls:sys_enter_setpriority, tracepoint:syscalls:sys_exit_setpriority ${own}`;
    const shared = 'BEGIN { @b = 1; } interval:ms:100 { print(@b); } END { clear(@b); }';
    const sources = {
      one: `${setting} ${shared}`,
      two: `${shared} ${getting}`,
      three: `${setting}${getting}`,
    };
    const owned = ownedPrograms(sources);
    const stop = new AbortController();
    let isUp = false;
    const { pid = 0, ended } = startBpftrace(
      compose(Object.values(sources), () => '', 100, 2 ** 30),
      { path: 'bpftrace', maxMapKeys: 1024, btfFile: '/sys/kernel/btf/vmlinux' },
      stop.signal,
      () => {
        isUp = true;
      },
    );
    try {
      await until(() => Promise.resolve(isUp));
      await sleep(200);
      const take = () =>
        withBpfStats(async () => {
          const before = costByProbe(await readPrograms(pid), owned);
          for (let time = 0; time < 500; time++) getPriority();
          for (let time = 0; time < 30; time++) setPriority(getPriority());
          return between(before, costByProbe(await readPrograms(pid), owned));
        });
      // Undefined if an agent on this machine switches it off meanwhile.
      const costs = (await take()) ?? (await take());
      const runs = Object.keys(sources).map((probe) => costs?.get(probe)?.runs);
      // What probes have in common is loaded once.
      expect(runs).toEqual([60, 530, undefined]);
    } finally {
      stop.abort();
      await ended;
    }
  });

  test('what probes cost is told; over budget they go in their order, and come back when it is quiet', async () => {
    const tree = await createCgroupTree('plumbline-test-cost');
    const nginx = await startNginx({ tree, cgroup: 'nginx-v1' });
    const agent = await startAgent(
      `budget: { sampleInterval: 500ms, cpuPercent: 2 }
${versionsIn(tree)}`,
      { probes: ['http', 'runqueue'] },
    );
    const connection = await openConnection(nginx.port);
    let sent = 0;
    const valueFor = async (name: string, probe: string) => costOf(await agent.metrics(), name, probe);
    const slices = async () =>
      Number(
        /^plumbline_runqueue_wait_seconds_count\{.*app="nginx".* (\d+)$/m.exec(await agent.metrics())?.[1],
      );
    const askUntil = async (isEnough: () => Promise<boolean>) => {
      do {
        connection.send(get('/hello'));
        await connection.responses(++sent);
        await sleep(50);
      } while (!(await isEnough()));
    };
    try {
      await askUntil(async () => (await valueFor('kernel_seconds_total', 'http')) > 0);
      const cost = (await valueFor('kernel_seconds_total', 'http')) / (await valueFor('runs_total', 'http'));
      expect(cost * 1e9).toBeGreaterThan(20);
      expect(cost * 1e9).toBeLessThan(20_000);
      expect(await valueFor('recursion_misses_total', 'http')).toBeGreaterThanOrEqual(0);
      const stats = () => readFile('/proc/sys/kernel/bpf_stats_enabled', 'utf8');
      await until(async () => (await stats()).trim() === '0');
      expect((await stats()).trim()).toBe('0');

      const storm = await Promise.all(
        [0, 1].map((cpu) =>
          startChild(['python3', serverScript('ping-pong.py')], { tree, cgroup: 'storm', cpu }),
        ),
      );
      await sleep(4000);
      await Promise.all(storm.map((child) => child.stop()));
      await askUntil(async () => (await valueFor('over_budget', 'runqueue')) === 1);
      expect(await valueFor('up', 'runqueue')).toBe(0);
      expect(await valueFor('up', 'http')).toBe(1);
      expect(await valueFor('over_budget', 'http')).toBe(0);
      const [asked, slicesBefore] = [sent, await slices()];

      await askUntil(async () => (await valueFor('over_budget', 'runqueue')) === 0);
      await askUntil(async () => (await slices()) > slicesBefore);
      await agent.settle();
      // nginx sleeps once or twice between two requests.
      expect((await slices()) - slicesBefore).toBeLessThan(4 * (sent - asked));
      const doubtful = valueOf(await agent.metrics(), 'plumbline_probe_handover_doubtful_events_total');
      expect(Math.abs(requestCount(await agent.series(), 'nginx') - sent)).toBeLessThanOrEqual(doubtful);
      expect(await valueFor('up', 'runqueue')).toBe(1);
    } finally {
      connection.socket.destroy();
      const { exitCode, stderr } = await agent.stop();
      expect(stderr).toMatch(/"reason":"over budget","off":\["runqueue"\].*probes are switched/);
      expect(stderr).toMatch(/"reason":"within budget again","off":\[\].*probes are switched/);
      expect(exitCode).toBe(0);
      await nginx.stop();
      await tree.remove();
    }
  });

  test('where the cost cannot be measured, as in a container, the budget goes by switches of threads', async () => {
    const readOnly = 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$@"';
    const agent = await startAgent('budget: { sampleInterval: 500ms, cpuPercent: 0.01 }', {
      probes: ['http', 'runqueue'],
      under: ['unshare', '--mount', 'sh', '-c', readOnly, 'sh'],
    });
    try {
      while (costOf(await agent.metrics(), 'over_budget', 'runqueue') !== 1) await sleep(100);
      const metrics = await agent.metrics();
      expect(costOf(metrics, 'up', 'http')).toBe(1);
      expect(metrics).not.toMatch(/^plumbline_probe_kernel_seconds_total\{/m);
    } finally {
      expect((await agent.stop()).stderr).toMatch(/what the probes cost is not known/);
    }
  });
});
