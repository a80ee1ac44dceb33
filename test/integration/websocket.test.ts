// A WebSocket library on both ends, the real kernel, and what the server counted.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { JsonSeries } from '../../agent/src/series/json.ts';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { startAgent, type RunningAgent } from '../support/agent.ts';
import { get, openConnection } from '../support/client.ts';
import { describeKernel } from '../support/kernel.ts';
import { counter, requestsByCode } from '../support/series.ts';
import { createServers, serverScript, versionsIn, type Servers } from '../support/servers.ts';

/** By direction, as the metrics have it. */
interface Counts {
  readonly received: readonly [messages: number, bytes: number];
  readonly sent: readonly [messages: number, bytes: number];
}

describeKernel('websocket', () => {
  let tree: CgroupTree;
  let servers: Servers;
  let agent: RunningAgent;

  const startServer = (script = 'websocket.js') =>
    servers.start('websocket', [process.execPath, serverScript(script)]);

  beforeAll(async () => {
    tree = await createCgroupTree('plumbline-test-websocket');
    servers = createServers(tree);
    agent = await startAgent(versionsIn(tree), {
      probes: ['http', 'websocket'],
    });
  });

  afterAll(async () => {
    await agent.stop();
    await servers.stop();
    await tree.remove();
  });

  test('messages and bytes each way are those of the server: all sizes, fragments, bursts, pings', async () => {
    const { app, port } = await startServer();
    const client = await openWebSocket(port);
    const sizes = [0, 1, 125, 126, 127, 1000, 65_535, 65_536, 70_000, 1_000_000];
    for (const size of [...sizes, ...sizes]) await ask(client, Buffer.alloc(size, 'x'));
    // One message in three fragments, with a ping in between.
    client.send('a'.repeat(300), { fin: false });
    client.ping('are you there');
    client.send('b'.repeat(70_000), { fin: false });
    client.send('c', { fin: true });
    await once(client, 'message');
    for (let round = 0; round < 20; round++) {
      const answers = messages(client, 8);
      for (let index = 0; index < 8; index++) client.send(`message ${index} of ${round}`);
      await answers;
    }
    const counts = JSON.parse(String(await ask(client, 'count'))) as Counts;
    const series = await agent.settledSeries();
    // The question is among what was received; the answer is not among what was sent.
    const counted = countsOf(series, app);
    expect(counter(series, 'plumbline_websocket_lost_total', app)).toBe(0);
    expect(counted.received).toEqual(counts.received);
    expect(counted.sent).toEqual([counts.sent[0] + 1, counts.sent[1] + JSON.stringify(counts).length]);
    expect(requestsByCode(series, app)).toEqual({ '1xx': 1 });
    client.terminate();
  });

  test('connections are open until they are closed, and have then lived so long', async () => {
    const { app, port } = await startServer();
    const clients = await Promise.all(Array.from({ length: 10 }, () => openWebSocket(port)));
    const opened = await agent.settledSeries();
    expect(counter(opened, 'plumbline_websocket_connections_opened_total', app)).toBe(10);
    expect(counter(opened, 'plumbline_websocket_connections_active', app)).toBe(10);
    for (const [index, client] of clients.slice(3).entries()) {
      if (index % 2 === 0) client.close();
      else client.terminate();
      await once(client, 'close');
    }
    const series = await agent.settledSeries();
    expect(counter(series, 'plumbline_websocket_connections_opened_total', app)).toBe(10);
    expect(counter(series, 'plumbline_websocket_connections_active', app)).toBe(3);
    const [lives] = (series.histograms.plumbline_websocket_connection_duration_seconds ?? []).filter(
      ({ labels }) => labels.app === app,
    );
    expect(lives?.counts.reduce((sum, count) => sum + count, 0)).toBe(7);
    expect(lives?.sumSeconds).toBeGreaterThan(7 * 0.2);
    for (const client of clients.slice(0, 3)) client.terminate();
  });

  test('the head of a frame may come byte by byte', async () => {
    const { app, port } = await startServer();
    const raw = await upgrade(port);
    for (const payload of ['x'.repeat(5), 'y'.repeat(200), 'z'.repeat(70_000)]) {
      const frame = maskedFrame(payload);
      for (let index = 0; index < 14; index++) {
        raw.socket.write(frame.subarray(index, index + 1));
        await sleep(5);
      }
      raw.socket.write(frame.subarray(14));
      await sleep(50);
    }
    raw.socket.destroy();
    const series = await agent.settledSeries();
    // A head of 14 bytes that is torn after the ninth is the one that is not put together.
    expect(countsOf(series, app).received).toEqual([2, 205]);
    expect(countsOf(series, app).sent).toEqual([3, 70_205]);
    expect(lost(series, app)).toEqual({ received: 1 });
  });

  test('too many frames in one read are lost, and counted as such; the next whole frame counts again', async () => {
    const { app, port } = await startServer();
    const raw = await upgrade(port);
    raw.socket.write(Buffer.concat(Array.from({ length: 200 }, () => maskedFrame('x'))));
    await sleep(200);
    raw.socket.write(maskedFrame('after'));
    await sleep(100);
    raw.socket.destroy();
    const series = await agent.settledSeries();
    expect(lost(series, app).received).toBe(1);
    const [received] = countsOf(series, app).received;
    expect(received).toBe(16 + 1);
  });

  test('an upgrade to something else has no messages', async () => {
    const { app, port } = await startServer('event-loop.js');
    const connection = await openConnection(port);
    connection.send('GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n');
    await connection.responses(1);
    connection.send(get());
    await connection.responses(2);
    connection.socket.destroy();
    const series = await agent.settledSeries();
    expect(countsOf(series, app)).toEqual({ received: [0, 0], sent: [0, 0] });
    expect(lost(series, app)).toEqual({ received: 1, sent: 1 });
  });
});

const openWebSocket = async (port: number): Promise<WebSocket> => {
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  await once(client, 'open');
  return client;
};

/** Resolves when that many have come from now on. */
const messages = (client: WebSocket, count: number): Promise<void> =>
  new Promise((resolve) => {
    let left = count;
    const onMessage = () => {
      if (--left > 0) return;
      client.off('message', onMessage);
      resolve();
    };
    client.on('message', onMessage);
  });

const ask = async (client: WebSocket, message: string | Buffer): Promise<unknown> => {
  client.send(message);
  const [answer] = (await once(client, 'message')) as [unknown];
  return answer;
};

/** A connection that speaks WebSocket from here on, with nobody to do it for us. */
const upgrade = async (port: number) => {
  const connection = await openConnection(port);
  connection.send(
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  await connection.responses(1);
  return connection;
};

/** A text frame; its key is 0, so that the payload stays as it is. */
const maskedFrame = (payload: string): Buffer => {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x81;
  head[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, Buffer.alloc(4), Buffer.from(payload)]);
};

const byDirection = (series: JsonSeries, name: string, app: string): Record<string, number> =>
  Object.fromEntries(
    (series.counters[name] ?? [])
      .filter(({ labels, value }) => labels.app === app && value > 0)
      .map(({ labels, value }) => [labels.direction ?? '', value]),
  );

const lost = (series: JsonSeries, app: string) => byDirection(series, 'plumbline_websocket_lost_total', app);

const countsOf = (series: JsonSeries, app: string): Counts => {
  const messagesBy = byDirection(series, 'plumbline_websocket_messages_total', app);
  const bytesBy = byDirection(series, 'plumbline_websocket_payload_bytes_total', app);
  return {
    received: [messagesBy.received ?? 0, bytesBy.received ?? 0],
    sent: [messagesBy.sent ?? 0, bytesBy.sent ?? 0],
  };
};
