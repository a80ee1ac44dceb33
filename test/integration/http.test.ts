// Real servers, the real kernel, and a client that knows the truth.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { availableParallelism } from 'node:os';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { startChild } from '../../demo/child.ts';
import { startAgent, type RunningAgent } from '../support/agent.ts';
import { get, openConnection, type Connection } from '../support/client.ts';
import { describeKernel } from '../support/kernel.ts';
import { startNginx, type Nginx } from '../support/nginx.ts';
import { counter, quantile, requestsByCode, sumSeconds } from '../support/series.ts';
import { createServers, serverScript, versionsIn, type Servers } from '../support/servers.ts';

const unanswered = 'plumbline_http_unanswered_total';
const unmatched = 'plumbline_http_unmatched_responses_total';

const lastCore = availableParallelism() - 1;

describeKernel('http', () => {
  let tree: CgroupTree;
  let servers: Servers;
  let agent: RunningAgent;
  let nginx: Nginx;
  let early: Connection;
  const ports: Record<string, number> = {};

  const commands: Readonly<Record<string, readonly string[]>> = {
    node: [process.execPath, serverScript('event-loop.js')],
    python: ['python3', serverScript('blocking.py')],
    scripted: ['python3', serverScript('scripted.py')],
  };

  const startServer = (kind: string) => servers.start(kind, commands[kind] ?? []);

  beforeAll(async () => {
    tree = await createCgroupTree('plumbline-test-http');
    servers = createServers(tree);
    nginx = await startNginx({ tree, cgroup: 'nginx-v1' });
    ports.nginx = nginx.port;
    const before = await startServer('node');
    early = await openConnection(before.port);
    early.send(get());
    await early.responses(1);
    agent = await startAgent(versionsIn(tree));
  });

  afterAll(async () => {
    early.socket.destroy();
    await agent.stop();
    await nginx.stop();
    await servers.stop();
    await tree.remove();
  });

  test('a connection that was opened before the agent started is measured', async () => {
    early.send(get());
    await early.responses(2);
    expect(requestsByCode(await agent.settledSeries(), 'node1')).toEqual({ '2xx': 1 });
  });

  test.each(['node', 'python'])(
    '%s: every request of a kept connection counts, by status class',
    async (kind) => {
      const { app, port } = await startServer(kind);
      const connection = await openConnection(port);
      const statuses = [200, 204, 304, 404, 503];
      for (let round = 0; round < 50; round++) {
        connection.send(get(`/status/${statuses[round % 5] ?? 200}`));
        await connection.responses(round + 1);
      }
      connection.socket.destroy();
      const series = await agent.settledSeries();
      expect(requestsByCode(series, app)).toEqual({ '2xx': 20, '3xx': 10, '4xx': 10, '5xx': 10 });
      expect(counter(series, unanswered, app)).toBe(0);
      expect(counter(series, unmatched, app)).toBe(0);
    },
  );

  test('nginx: constant answers, a file by sendfile, HEAD and an error count', async () => {
    const connection = await openConnection(nginx.port);
    const before = requestsByCode(await agent.settledSeries(), 'nginx');
    const requests = [get('/hello'), get('/file.txt'), get('/file.txt').replace('GET', 'HEAD'), get('/none')];
    for (const [index, request] of requests.entries()) {
      connection.send(request);
      await connection.responses(index + 1);
    }
    connection.socket.destroy();
    const after = requestsByCode(await agent.settledSeries(), 'nginx');
    expect((after['2xx'] ?? 0) - (before['2xx'] ?? 0)).toBe(3);
    expect(after['4xx']).toBe(1);
  });

  test.each(['node', 'python'])(
    '%s: a request in several segments is one, from its first segment on',
    async (kind) => {
      const { app, port } = await startServer(kind);
      const connection = await openConnection(port);
      for (const piece of ['GE', 'T / HT', 'TP/1.1\r\nHo', 'st: x\r\n\r\n']) {
        connection.send(piece);
        await sleep(30);
      }
      await connection.responses(1);
      connection.socket.destroy();
      const series = await agent.settledSeries();
      expect(requestsByCode(series, app)).toEqual({ '2xx': 1 });
      // Three pauses between the first segment and the last.
      expect(sumSeconds(series, app)).toBeGreaterThan(kind === 'node' ? 0.085 : 0.05);
      expect(sumSeconds(series, app)).toBeLessThan(0.2);
    },
  );

  test.each(['node', 'python', 'nginx'])('%s: several requests in one segment count each', async (kind) => {
    const { app, port } = kind === 'nginx' ? { app: 'nginx', port: nginx.port } : await startServer(kind);
    const before = requestsByCode(await agent.settledSeries(), app)['2xx'] ?? 0;
    const connection = await openConnection(port);
    const path = kind === 'nginx' ? '/hello' : '/';
    connection.send(get(path) + get(path) + get(path).replace('GET', 'HEAD') + get(path));
    await connection.responses(4);
    connection.socket.destroy();
    expect((requestsByCode(await agent.settledSeries(), app)['2xx'] ?? 0) - before).toBe(4);
  });

  test('requests that come while an earlier one waits for its answer count each', async () => {
    const { app, port } = await startServer('node');
    const connection = await openConnection(port);
    connection.send(get('/wait/100'));
    await sleep(50);
    connection.send(get());
    await connection.responses(2);
    connection.socket.destroy();
    const series = await agent.settledSeries();
    expect(requestsByCode(series, app)).toEqual({ '2xx': 2 });
    // 100 ms for the first; the second waited 50 ms for it.
    expect(sumSeconds(series, app)).toBeGreaterThan(0.14);
    expect(sumSeconds(series, app)).toBeLessThan(0.19);
  });

  test.each(['node', 'python'])('%s: 100 Continue does not end a request', async (kind) => {
    const { app, port } = await startServer(kind);
    const connection = await openConnection(port);
    connection.send('POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
    expect(await connection.responses(1)).toContain('100 Continue');
    await sleep(100);
    connection.send('GET ');
    await connection.responses(2);
    connection.socket.destroy();
    const series = await agent.settledSeries();
    expect(requestsByCode(series, app)).toEqual({ '2xx': 1 });
    expect(sumSeconds(series, app)).toBeGreaterThan(0.1);
  });

  test('101 ends the request, and whatever the connection carries then is left alone', async () => {
    const { app, port } = await startServer('node');
    const connection = await openConnection(port);
    connection.send('GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await connection.responses(1);
    connection.send(get());
    await connection.responses(2);
    connection.socket.destroy();
    const series = await agent.settledSeries();
    expect(requestsByCode(series, app)).toEqual({ '1xx': 1 });
    expect(counter(series, unmatched, app)).toBe(0);
    expect(counter(series, unanswered, app)).toBe(0);
  });

  test('connections that are closed without an answer count apart, whoever closes', async () => {
    const { app, port } = await startServer('node');
    const dropped = await openConnection(port);
    dropped.send(get('/drop'));
    const impatient = await openConnection(port);
    impatient.send(get('/wait/300'));
    await sleep(100);
    impatient.socket.resetAndDestroy();
    await sleep(300);
    const series = await agent.settledSeries();
    expect(requestsByCode(series, app)).toEqual({});
    expect(counter(series, unanswered, app)).toBe(2);
    expect(counter(series, unmatched, app)).toBe(0);
  });

  test('requests that a busy server reads after their clients have reset are unanswered, whatever it writes', async () => {
    const { app, port } = await startServer('node');
    const [blocker, kept] = [await openConnection(port), await openConnection(port)];
    kept.send(get());
    await kept.responses(1);
    blocker.send(get('/block/400'));
    await blocker.responses(1);
    for (const { send, socket } of [kept, await openConnection(port)]) {
      send(get());
      await sleep(20);
      socket.resetAndDestroy();
    }
    // Answered behind them.
    blocker.send(get());
    await blocker.responses(2);
    blocker.socket.destroy();
    const series = await agent.settledSeries();
    expect(requestsByCode(series, app)).toEqual({ '2xx': 3 });
    expect(counter(series, unanswered, app)).toBe(2);
    expect(counter(series, unmatched, app)).toBe(0);
  });

  test('a request of which the agent saw only the answer is counted as unmatched', async () => {
    const { app, port } = await startServer('scripted');
    const connection = await openConnection(port);
    connection.send('BREW /pot HTTP/1.1\r\n\r\n');
    await connection.responses(1);
    connection.socket.destroy();
    const series = await agent.settledSeries();
    expect(requestsByCode(series, app)).toEqual({});
    expect(counter(series, unmatched, app)).toBe(1);
  });

  test('readv, recvmsg, writev, sendmsg, peeking and reading byte by byte are understood', async () => {
    const { app, port } = await startServer('scripted');
    for (const [path, requests] of [
      ['/readv', 3],
      ['/peek', 2],
      ['/one-by-one', 2],
    ] as const) {
      const connection = await openConnection(port);
      for (let index = 1; index <= requests; index++) {
        connection.send(get(index === 1 ? path : '/'));
        await connection.responses(index);
      }
      connection.socket.destroy();
    }
    const series = await agent.settledSeries();
    expect(requestsByCode(series, app)).toEqual({ '2xx': 7 });
    expect(counter(series, unanswered, app)).toBe(0);
    expect(counter(series, unmatched, app)).toBe(0);
  });

  test('a protocol that looks like HTTP at first is no request', async () => {
    const { app, port } = await startServer('scripted');
    const connection = await openConnection(port);
    connection.send('GET key\r\n');
    await sleep(50);
    connection.send('GET key\r\n');
    await sleep(50);
    connection.socket.destroy();
    const series = await agent.settledSeries();
    expect(requestsByCode(series, app)).toEqual({});
    expect(counter(series, unanswered, app)).toBe(0);
  });

  test('a request that the server reads late has waited, though its handler was quick', async () => {
    const { app, port } = await startServer('node');
    const [blocker, victim] = [await openConnection(port), await openConnection(port)];
    for (let index = 1; index <= 30; index++) {
      victim.send(get());
      await victim.responses(index);
    }
    blocker.send(get('/block/250'));
    await blocker.responses(1);
    await sleep(50);
    victim.send(get());
    await victim.responses(31);
    blocker.socket.destroy();
    victim.socket.destroy();
    const series = await agent.settledSeries();
    expect(requestsByCode(series, app)).toEqual({ '2xx': 32 });
    expect(quantile(series, app, 1)).toBeGreaterThan(0.19);
  });

  /** A server with one core and eight clients, who each send what takes the server some time, one after the other. */
  const requestsOneAfterTheOther = async (
    workMs: number,
    ms: number,
    beside = () => Promise.resolve(),
  ): Promise<string> => {
    const { app, port } = await servers.start('node', [
      'taskset',
      '-c',
      String(lastCore),
      ...(commands.node ?? []),
    ]);
    const kept: Connection[] = [];
    for (let index = 0; index < 4; index++) {
      const client = await openConnection(port);
      client.send(get());
      await client.responses(1);
      kept.push(client);
    }
    await beside();
    const fresh: Connection[] = [];
    for (const client of kept) {
      client.send(get(`/work/${workMs}`));
      await sleep(ms);
      // The first request on a new connection is read after later ones on others.
      const another = await openConnection(port);
      another.send(get(`/work/${workMs}`));
      fresh.push(another);
      await sleep(ms);
    }
    for (const client of kept) await client.responses(2);
    for (const client of fresh) await client.responses(1);
    for (const { socket } of [...kept, ...fresh]) socket.destroy();
    return app;
  };

  test('requests that queue up since the server waited for its CPU take, net, what each takes alone', async () => {
    const burn = 'console.log("now"); const end = performance.now() + 500; while (performance.now() < end);';
    const app = await requestsOneAfterTheOther(10, 40, async () => {
      const burner = await startChild(['chrt', '-f', '1', process.execPath, '-e', burn], {
        tree,
        cgroup: 'burner-v1',
        cpu: lastCore,
      });
      await burner.firstLine();
    });
    const series = await agent.settledSeries();
    expect(requestsByCode(series, app)).toEqual({ '2xx': 12 });
    expect(quantile(series, app, 0.6)).toBeGreaterThan(0.15);
    expect(quantile(series, app, 1, true)).toBeLessThan(0.03);
  });

  test('requests that queue up though the server had its CPU take, net, as long as they waited', async () => {
    const app = await requestsOneAfterTheOther(30, 0);
    const series = await agent.settledSeries();
    expect(requestsByCode(series, app)).toEqual({ '2xx': 12 });
    expect(quantile(series, app, 1, true)).toBeGreaterThan(0.05);
  });

  test('a handler that waits is slow by itself: its net duration is as long', async () => {
    const { app, port } = await startServer('python');
    const connection = await openConnection(port);
    connection.send(get('/wait/100'));
    await connection.responses(1);
    connection.socket.destroy();
    const series = await agent.settledSeries();
    expect(quantile(series, app, 0.5)).toBeGreaterThan(0.095);
    expect(quantile(series, app, 0.5, true)).toBeGreaterThan(0.085);
  });
});
