import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect } from 'node:net';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { readBody, startListener, type RunningServer } from './listener.ts';
import type { PasswordAnswer } from './passwords.ts';

let server: RunningServer;
let logged: string[];

beforeEach(async () => {
  logged = [];
  const log = { error: (_: unknown, message: string) => logged.push(message), warn: () => undefined };
  server = await startListener({
    host: '127.0.0.1',
    port: 0,
    tokens: ['right'],
    webConfig: { tls: undefined, checkPassword: (user) => Promise.resolve(user as PasswordAnswer) },
    openPaths: ['/open'],
    log: log as never,
    handler: async (request, response) => {
      if (request.url === '/broken') throw new Error('on purpose');
      const body = await readBody(request, response, 10);
      if (body !== undefined) response.end(`got ${body}`);
    },
  });
});
afterEach(() => server.close());

const ask = (path: string, options: RequestInit = {}) =>
  fetch(server.url + path, { headers: { authorization: 'Bearer right' }, ...options });

test('a handler that fails is a 500 and a line in the log, and the next request is answered', async () => {
  const response = await ask('/broken');
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('on purpose');
  expect(logged).toEqual(['request failed']);
  expect(await (await ask('/', { method: 'POST', body: 'abc' })).text()).toBe('got abc');
});

test('a client that goes away in the middle is no line in the log', async () => {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer right\r\nContent-Length: 5\r\n\r\nab');
  await ask('/');
  socket.destroy();
  await ask('/');
  expect(logged).toEqual([]);
});

test('a body that is too large is refused', async () => {
  expect((await ask('/', { method: 'POST', body: 'x'.repeat(11) })).status).toBe(413);
});

test('without the token only open paths are answered', async () => {
  expect((await fetch(`${server.url}/`)).status).toBe(401);
  expect((await fetch(`${server.url}/?/open`)).status).toBe(401);
  expect((await fetch(`${server.url}/open`)).status).toBe(200);
  expect((await ask('/', { headers: { authorization: 'Bearer righ' } })).status).toBe(401);
});

test('a user enters with the right password, others are refused or told when to come again', async () => {
  const answerTo = async (user: string) => {
    const { status, headers } = await ask('/', {
      headers: { authorization: `Basic ${btoa(`${user}:any`)}` },
    });
    return [status, headers.get('retry-after')];
  };
  expect(await answerTo('right')).toEqual([200, null]);
  expect(await answerTo('wrong')).toEqual([401, null]);
  expect(await answerTo('later')).toEqual([429, '1']);
});

test('what is no HTTP gets a 400 that repeats nothing', async () => {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.end('<b>hello</b>\r\n\r\n');
  const answer = await text(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).not.toContain('hello');
});

test('an address that is in use is an error that says who has it', async () => {
  const { port } = new URL(server.url);
  const again = { host: '127.0.0.1', port: Number(port), handler: () => undefined, log: {} as never };
  await expect(startListener(again)).rejects.toThrow(`ss -ltnp 'sport = :${port}'`);
});
