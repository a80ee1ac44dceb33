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
import { startAgent } from '../support/agent.ts';
import { get, openConnection } from '../support/client.ts';
import { describeKernel } from '../support/kernel.ts';
import { startNginx } from '../support/nginx.ts';
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

  test('the kernel time of a probe is told, and the kernel books only while a sample is taken', async () => {
    const tree = await createCgroupTree('plumbline-test-cost');
    const nginx = await startNginx({ tree, cgroup: 'nginx-v1' });
    const agent = await startAgent('budget: { sampleInterval: 1s }', { probes: 'all' });
    const connection = await openConnection(nginx.port);
    let sent = 0;
    const seconds = async () => costOf(await agent.metrics(), 'kernel_seconds_total', 'http');
    try {
      await until(async () => {
        connection.send(get('/hello'));
        await connection.responses(++sent);
        return (await seconds()) > 0;
      });
      const runs = costOf(await agent.metrics(), 'runs_total', 'http');
      expect(((await seconds()) / runs) * 1e9).toBeGreaterThan(20);
      expect(((await seconds()) / runs) * 1e9).toBeLessThan(20_000);
      expect(costOf(await agent.metrics(), 'recursion_misses_total', 'http')).toBeGreaterThanOrEqual(0);
      let isOff = false;
      await until(
        async () => (isOff = (await readFile('/proc/sys/kernel/bpf_stats_enabled', 'utf8')).trim() === '0'),
      );
      expect(isOff).toBe(true);
    } finally {
      connection.socket.destroy();
      expect((await agent.stop()).exitCode).toBe(0);
      await nginx.stop();
      await tree.remove();
    }
  });
});
