// A fresh bpftrace takes over from the running one, under load: what was counted stays counted, once.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cgroupRoot, createCgroupTree, isRunning, type CgroupTree } from '../../demo/cgroup.ts';
import { startChild } from '../../demo/child.ts';
import { wrkAtRate } from '../bench/wrk.ts';
import { startAgent, valueOf, type RunningAgent } from '../support/agent.ts';
import { get, openConnection } from '../support/client.ts';
import { describeKernel } from '../support/kernel.ts';
import { startNginx, type Nginx } from '../support/nginx.ts';
import { bpftracesOf, listenerOf } from '../support/processes.ts';
import { until } from '../support/prometheus.ts';
import { counter, requestCount } from '../support/series.ts';
import { serverScript } from '../support/servers.ts';

const counterOf = async (agent: RunningAgent, name: string) =>
  valueOf(await agent.metrics(), `plumbline_probe_${name}_total`);

const maxMapKeys = 1024;
/** Each makes four entries, one for each status. */
const livesToFillAMap = 180;
const mostLives = 250;

/** A client that makes connections, uses each, and keeps them open until it is ended. */
const holder = (port: number, connections: number): string => `import resource, socket, time
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
kept = [socket.create_connection(('127.0.0.1', ${port})) for _ in range(${connections})]
for one in kept:
  one.sendall(b'hello')
  left = 1000
  while left > 0: left -= len(one.recv(left))
print(flush=True)
time.sleep(1000)
`;

describeKernel('handover', () => {
  let tree: CgroupTree;
  let nginx: Nginx;
  let config: string;

  beforeAll(async () => {
    tree = await createCgroupTree('plumbline-test-handover');
    nginx = await startNginx({ tree, cgroup: 'nginx' });
    // Known to the agent before they are used: this is about counts, and not about whose they are.
    const root = join(await cgroupRoot(), tree.path, 'short');
    for (let life = 0; life < mostLives; life++) await mkdir(join(root, `life${life}`), { recursive: true });
    config = `bpftrace: { maxMapKeys: ${maxMapKeys} }\nworkloads: { static: [{ cgroup: "${tree.path}/*", app: $1, version: v1 }] }`;
  });
  afterAll(async () => {
    await nginx.stop();
    await tree.remove();
  });

  /** A server that moves from cgroup to cgroup and answers four times in each: four entries of a map, at least. */
  const manyShortLives = async (isEnough: (lives: number) => Promise<boolean>): Promise<number> => {
    const server = await startChild(['python3', serverScript('blocking.py')], { tree, cgroup: 'short' });
    const port = Number(await server.firstLine());
    let lives = 0;
    for (; !(await isEnough(lives)); lives++) {
      await tree.place(`short/life${lives}`, server.pid);
      const connection = await openConnection(port);
      for (const [index, status] of [200, 301, 404, 500].entries()) {
        connection.send(get(`/status/${status}`));
        await connection.responses(index + 1);
      }
      connection.socket.destroy();
    }
    await server.stop();
    return lives;
  };

  test('maps fill up with what is gone: another process takes over while the listener stands still, and each request is counted once', async () => {
    const agent = await startAgent(config);
    let isOver = false;
    const load = async () => {
      while (!isOver) await wrkAtRate(`http://127.0.0.1:${nginx.port}/hello`, 600, 2);
    };
    try {
      const [first] = await bpftracesOf(agent.pid);
      const listener = await listenerOf(agent.pid);
      const servedBefore = await nginx.served();
      const loading = load();
      const lives = await manyShortLives(async (count) => {
        if (count < livesToFillAMap) return false;
        await sleep(1000); // No map is to be full before the other process is there.
        const running = await bpftracesOf(agent.pid);
        if (running.length === 1 && running[0] === first) return false;
        // What the listener does not take in meanwhile must not be what the next reading lacks.
        process.kill(listener, running.length > 1 ? 'SIGSTOP' : 'SIGCONT');
        return running.length === 1;
      });
      isOver = true;
      await loading;
      const served = (await nginx.served()) - servedBefore + 1;
      await agent.settle();
      const [now = 0, ...others] = await bpftracesOf(agent.pid);
      expect(others).toEqual([]);
      expect(now).not.toBe(first);
      const series = await agent.series();
      const doubtful = await counterOf(agent, 'handover_doubtful_events');
      const short = requestCount(series, 'short') - 4 * lives;
      const steady = requestCount(series, 'nginx') - served;
      const off = Math.abs(short) + Math.abs(steady);
      expect(off, `short ${short}, nginx ${steady}`).toBeLessThanOrEqual(doubtful);
      expect(await counterOf(agent, 'restarts')).toBe(0);
    } finally {
      isOver = true;
      expect((await agent.stop()).exitCode).toBe(0);
    }
  });

  test('connections that were open before are open afterwards, and end; those that find no room are told', async () => {
    const server = await startChild(['python3', serverScript('tcp.py'), '127.0.0.1'], {
      tree,
      cgroup: 'pool',
    });
    const port = Number(await server.firstLine());
    const hold = async (cgroup: string, connections: number) => {
      const child = await startChild(['python3', '-c', holder(port, connections)], { tree, cgroup });
      await child.firstLine();
      return child;
    };
    const agent = await startAgent(config, { probes: ['http', 'tcp'] });
    const counts = async (app: string) => {
      const series = await agent.settledSeries();
      const of = (name: string) => counter(series, `plumbline_tcp_${name}`, app);
      return {
        opened: of('connections_opened_total'),
        active: of('connections_active'),
        closed: of('connections_closed_total'),
        unmatched: of('unmatched_closes_total'),
        received: of('received_bytes_total'),
        untracked: of('untracked_total'),
      };
    };
    const clients = [await hold('early', 12), await hold('late', 20)];
    try {
      const before = { opened: 20, active: 20, closed: 0, unmatched: 0, received: 0, untracked: 0 };
      expect(await counts('late')).toEqual(before);
      await manyShortLives(async (count) => {
        if (count >= livesToFillAMap) await sleep(1000);
        return (await counterOf(agent, 'handovers')) > 0;
      });
      expect(await counts('late')).toEqual(before);
      await Promise.all(clients.splice(0).map((child) => child.stop()));
      const gone = { opened: 20, active: 0, closed: 20, unmatched: 20, received: 20_000, untracked: 0 };
      expect(await counts('late')).toEqual(gone);
      expect(await counts('early')).toEqual({
        ...gone,
        opened: 12,
        closed: 12,
        unmatched: 12,
        received: 12_000,
      });
      expect(await counts('pool')).toMatchObject({ opened: 32, active: 0, closed: 32 });

      clients.push(await hold('crowd', 1500));
      const { opened, active, untracked } = await counts('crowd');
      expect([opened, active + untracked]).toEqual([1500, 1500]);
      expect(untracked).toBeGreaterThan(0);
      await Promise.all(clients.splice(0).map((child) => child.stop()));
      await expect
        .poll(() => counts('crowd'))
        .toMatchObject({ active: 0, closed: 1500, unmatched: untracked });
    } finally {
      await Promise.all([server, ...clients].map((child) => child.stop()));
      expect((await agent.stop()).exitCode).toBe(0);
    }
  });

  /** Ends when a second bpftrace has been started; gives both, and how many requests there were until then. */
  const untilOverlap = async (agent: RunningAgent) => {
    const [old = 0] = await bpftracesOf(agent.pid);
    let fresh: number | undefined;
    const lives = await manyShortLives(async (count) => {
      if (count >= livesToFillAMap && count % 10 === 0)
        fresh = (await bpftracesOf(agent.pid)).find((pid) => pid !== old);
      return fresh !== undefined;
    });
    return { old, fresh: fresh ?? 0, requests: 4 * lives };
  };

  test('the fresh process dies before it has taken over: the running one goes on', async () => {
    const agent = await startAgent(config);
    try {
      const { old, fresh, requests } = await untilOverlap(agent);
      process.kill(fresh, 'SIGKILL');
      await until(() => Promise.resolve(!isRunning(fresh)));
      await agent.settle();
      expect(await bpftracesOf(agent.pid)).toEqual([old]);
      expect(requestCount(await agent.series(), 'short')).toBe(requests);
      expect(await counterOf(agent, 'handovers')).toBe(0);
      expect(await counterOf(agent, 'restarts')).toBe(0);
    } finally {
      const { exitCode, stderr } = await agent.stop();
      expect(stderr).toContain('could not take over');
      expect(exitCode).toBe(0);
    }
  });

  test('the running process dies before the fresh one has taken over: it is started again, totals go on', async () => {
    const agent = await startAgent(config);
    try {
      const { old, requests } = await untilOverlap(agent);
      await agent.settle();
      process.kill(old, 'SIGKILL');
      await until(async () => (await counterOf(agent, 'restarts')) === 1);
      await until(async () => (await bpftracesOf(agent.pid)).length === 1);
      await until(async () => (await fetch(`${agent.url}/readyz`)).ok);
      expect(requestCount(await agent.series(), 'short')).toBe(requests);
      const more = 4 * (await manyShortLives((count) => Promise.resolve(count === 3)));
      await agent.settle();
      expect(requestCount(await agent.series(), 'short')).toBe(requests + more);
    } finally {
      expect((await agent.stop()).exitCode).toBe(0);
    }
  });
});
