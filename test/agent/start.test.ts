// How the agent starts with many probes: what matters most counts first, and nothing counted is lost when the rest comes.
import { expect, test } from 'vitest';
import { createCgroupTree } from '../../demo/cgroup.ts';
import { startAgent, valueOf, withFile, type RunningAgent } from '../support/agent.ts';
import { get, openConnection } from '../support/client.ts';
import { describeKernel } from '../support/kernel.ts';
import { startNginx } from '../support/nginx.ts';
import { bpftracesOf } from '../support/processes.ts';
import { until } from '../support/prometheus.ts';
import { requestCount } from '../support/series.ts';
import { versionsIn } from '../support/servers.ts';

const probes = ['blockio', 'http', 'http2', 'runqueue', 'tcp', 'turnaround', 'websocket'];

const upOf = async (agent: RunningAgent): Promise<readonly string[]> => {
  const metrics = await agent.metrics();
  return [...metrics.matchAll(/^plumbline_probe_up\{.*probe="(\w+)".*\} 1$/gm)].map(([, name = '']) => name);
};

describeKernel('start', () => {
  test('http counts while the others are being loaded; they take over, and each request is counted once', async () => {
    const tree = await createCgroupTree('plumbline-test-start');
    const nginx = await startNginx({ tree, cgroup: 'nginx-v1' });
    const agent = await startAgent(versionsIn(tree), { probes });
    try {
      expect(await upOf(agent)).toEqual(['http']);
      const [first] = await bpftracesOf(agent.pid);
      const connection = await openConnection(nginx.port);
      let sent = 0;
      while ((await upOf(agent)).length < probes.length) {
        connection.send(get('/hello'));
        await connection.responses(++sent);
      }
      connection.send(get('/hello'));
      await connection.responses(++sent);
      connection.socket.destroy();
      const series = await agent.settledSeries();
      const metrics = await agent.metrics();
      const off = Math.abs(requestCount(series, 'nginx') - sent);
      expect(off).toBeLessThanOrEqual(valueOf(metrics, 'plumbline_probe_handover_doubtful_events_total'));
      expect(valueOf(metrics, 'plumbline_probe_restarts_total')).toBe(0);
      await until(async () => (await bpftracesOf(agent.pid)).length === 1);
      expect(await bpftracesOf(agent.pid)).not.toContain(first);
    } finally {
      expect((await agent.stop()).exitCode).toBe(0);
      await nginx.stop();
      await tree.remove();
    }
  }, 120_000);

  test('one of the others is refused: http goes on meanwhile, and all but that one take over', async () => {
    const fake = `#!/bin/sh
[ "$1" = --version ] && echo "bpftrace v0.17.0" && exit
grep -q sched_switch && echo "ERROR: Error loading program: tracepoint:sched:sched_switch" >&2 && exit 1
while sleep 0.1; do
  echo '{"type": "map", "data": {"@http_requests": {"1,2,134": 5}}}'
  echo '{"type": "map", "data": {"@asked": 1}}'
  echo '{"type": "map", "data": {"@tick": 1}}'
done
`;
    await withFile(
      fake,
      async (path) => {
        const agent = await startAgent(`bpftrace: { path: ${path} }`, { probes });
        try {
          expect(await upOf(agent)).toEqual(['http']);
          await until(async () => (await upOf(agent)).length > 1);
          expect(await upOf(agent)).toEqual(probes.filter((name) => name !== 'runqueue'));
          const metrics = await agent.metrics();
          expect(valueOf(metrics, 'plumbline_probe_restarts_total')).toBe(0);
          expect(valueOf(metrics, 'plumbline_probe_handovers_total')).toBe(1);
        } finally {
          const { stderr, exitCode } = await agent.stop();
          expect(stderr).toMatch(/"probe":"runqueue",.*Error loading program.*probe left out/);
          expect(exitCode).toBe(0);
        }
      },
      0o755,
    );
  });
});
