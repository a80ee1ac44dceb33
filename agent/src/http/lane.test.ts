import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createLane } from './lane.ts';
import { startListener, type RunningServer } from './listener.ts';

const most = 3;
const patience = { timeout: 10_000 };

let server: RunningServer;
let inside: number;

const start = async (mostMs?: number) => {
  const lane = createLane(most, mostMs);
  inside = 0;
  const piece = Buffer.alloc(1 << 20);
  const answers: Record<string, () => Iterable<Buffer>> = {
    '/short': () => [Buffer.from('short')],
    // More than the buffers of both sockets hold.
    '/long': () => Array.from({ length: 64 }, () => piece),
  };
  server = await startListener({
    host: '127.0.0.1',
    port: 0,
    log: { error: () => undefined, warn: () => undefined } as never,
    handler: (request, response) =>
      lane(response, async () => {
        inside += 1;
        const body = answers[request.url ?? '']?.() ?? [];
        await pipeline(Readable.from(body), response).catch(() => undefined);
      }),
  });
};

let sockets: Socket[];
beforeEach(() => {
  sockets = [];
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await server.close();
});

/** Asks, and reads nothing. */
const askAndIgnore = async (requests = 1) => {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname).pause();
  socket.on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  socket.write('GET /long HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(requests));
  return socket;
};

const statusOf = async (path: string) => (await fetch(server.url + path)).status;

test('clients that ask and do not read are so many; the next one is told when to come again', async () => {
  await start();
  for (let i = 0; i < most; i++) await askAndIgnore();
  await vi.waitFor(() => {
    expect(inside).toBe(most);
  }, patience);
  const refused = await fetch(`${server.url}/short`);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
  for (const socket of sockets) socket.destroy();
  await vi.waitFor(async () => {
    expect(await statusOf('/short')).toBe(200);
  }, patience);
});

test('whoever has read its answer has left, and keeps its connection', async () => {
  await start();
  for (let i = 0; i < 2 * most; i++) expect(await (await fetch(`${server.url}/short`)).text()).toBe('short');
});

test('an answer that is not read in time is broken off, and so is what waits behind it', async () => {
  await start(100);
  const socket = await askAndIgnore(most);
  await vi.waitFor(() => {
    expect(inside).toBe(most);
  }, patience);
  await vi.waitFor(async () => {
    expect(await statusOf('/short')).toBe(200);
  }, patience);
  socket.resume();
  await once(socket, 'close');
});

test('answers that wait behind one on a connection that is closed keep nobody out for long', async () => {
  await start(500);
  const socket = await askAndIgnore(most);
  await vi.waitFor(() => {
    expect(inside).toBe(most);
  }, patience);
  socket.destroy();
  await vi.waitFor(async () => {
    expect(await statusOf('/short')).toBe(200);
  }, patience);
});
