// Without BTF, which a mount hides from the agent: what still works, and that an old verifier would take it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { execa } from 'execa';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { plumbline, startAgent, type RunningAgent } from '../support/agent.ts';
import { get, openConnection } from '../support/client.ts';
import { describeKernel } from '../support/kernel.ts';
import { counter, quantile, requestsByCode, sumSeconds } from '../support/series.ts';
import { createServers, serverScript, versionsIn, type Servers } from '../support/servers.ts';

const withoutBtf: readonly string[] = [
  'unshare',
  '-m',
  'sh',
  '-c',
  'mount -t tmpfs none /sys/kernel/btf && exec "$@"',
  'sh',
];

describeKernel('without BTF', () => {
  let tree: CgroupTree;
  let servers: Servers;
  let agent: RunningAgent;

  const startServer = (kind: 'node' | 'python') =>
    servers.start(
      kind,
      kind === 'node'
        ? [process.execPath, serverScript('event-loop.js')]
        : ['python3', serverScript('blocking.py')],
    );

  beforeAll(async () => {
    tree = await createCgroupTree('plumbline-test-reduced');
    servers = createServers(tree);
    agent = await startAgent(versionsIn(tree), { under: withoutBtf, probes: 'all' });
  });

  afterAll(async () => {
    await agent.stop();
    await servers.stop();
    await tree.remove();
  });

  test('the check says what is reduced and why, and the agent says it in its metrics', async () => {
    const [command, ...args] = [...withoutBtf, process.execPath, plumbline, 'check', '--json'];
    const { stdout, exitCode } = await execa(command, args, { reject: false });
    const { fit, probes } = JSON.parse(stdout) as { fit: boolean; probes: { name: string; mode: string }[] };
    expect({ fit, exitCode }).toEqual({ fit: true, exitCode: 0 });
    expect(probes).toContainEqual(
      expect.objectContaining({
        name: 'http',
        mode: 'reduced',
        lacking: [
          expect.objectContaining({ name: 'types of the kernel', remedy: expect.any(String) as string }),
        ],
      }),
    );
    const metrics = await agent.metrics();
    for (const { name, mode } of probes) {
      const hasInfo = new RegExp(`probe_info.*probe="${name}",mode="${mode}"`).test(metrics);
      expect(hasInfo, `${name} ${mode}`).toBe(mode !== 'none');
    }
  });

  test.each(['node', 'python'] as const)('%s: every request counts, by status class', async (kind) => {
    const { app, port } = await startServer(kind);
    const connection = await openConnection(port);
    const statuses = [200, 204, 304, 404, 503];
    for (let round = 0; round < 50; round++) {
      connection.send(get(`/status/${statuses[round % 5] ?? 200}`));
      await connection.responses(round + 1);
    }
    connection.send(get() + get() + get());
    await connection.responses(53);
    connection.socket.destroy();
    const series = await agent.settledSeries();
    expect(requestsByCode(series, app)).toEqual({ '2xx': 23, '3xx': 10, '4xx': 10, '5xx': 10 });
    expect(counter(series, 'plumbline_http_unmatched_responses_total', app)).toBe(0);
    expect(counter(series, 'plumbline_http_unanswered_total', app)).toBe(0);
  });

  test('a handler that waits is slow, and nothing is said about the net duration', async () => {
    const { app, port } = await startServer('node');
    const connection = await openConnection(port);
    connection.send(get('/wait/100'));
    await connection.responses(1);
    connection.socket.destroy();
    const series = await agent.settledSeries();
    expect(quantile(series, app, 0.5)).toBeGreaterThan(0.095);
    expect(sumSeconds(series, app)).toBeLessThan(0.2);
    expect(await agent.metrics()).not.toContain('plumbline_http_request_net_duration');
  });

  test('connections that are closed without an answer, and what follows 101, are understood', async () => {
    const { app, port } = await startServer('node');
    const dropped = await openConnection(port);
    dropped.send(get('/drop'));
    await sleep(100);
    const upgraded = await openConnection(port);
    upgraded.send('GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await upgraded.responses(1);
    upgraded.send(get());
    await upgraded.responses(2);
    upgraded.socket.destroy();
    await sleep(100);
    const series = await agent.settledSeries();
    expect(requestsByCode(series, app)).toEqual({ '1xx': 1 });
    expect(counter(series, 'plumbline_http_unanswered_total', app)).toBe(1);
  });
});
