import { afterEach, expect, test } from 'vitest';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NoAnswer } from '../http/client.ts';
import { seriesReader } from './top.ts';

let server: Server | undefined;
afterEach(() => server?.close());

const readFrom = async (status: number, body: string) => {
  server = createServer((_, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return seriesReader(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))();
};

test('the series are read', async () => {
  const series = { unixMs: 1, histograms: {}, counters: {} };
  expect(await readFrom(200, JSON.stringify(series))).toEqual(series);
});

test.each([
  [401, 'Unauthorized.', /wants a user, as in https:.*--password-file/],
  [404, 'Not found.', /\(status 404\) is no agent. Remedy: give its --url/],
  [200, '<html>', /\(status 200\) is no agent/],
  [200, 'null', /\(status 200\) is no agent/],
])('status %i with %s is an error that says what to do', async (status, body, message) => {
  const reading = readFrom(status, body);
  await expect(reading).rejects.toThrow(NoAnswer);
  await expect(reading).rejects.toThrow(message);
});

test('so is an address at which nobody listens', async () => {
  const reading = seriesReader(new URL('http://127.0.0.1:1'))();
  await expect(reading).rejects.toThrow(NoAnswer);
  await expect(reading).rejects.toThrow(/Remedy: start one with "plumbline agent"/);
});
