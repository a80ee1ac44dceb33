import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPrometheus } from './prometheus.ts';

/** Answers with the status that is asked for, as Prometheus words its errors. */
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    const status = Number(new URLSearchParams(body).get('query'));
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ status: 'error', errorType: 'some', error: `it is ${status}` }));
  });
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => server.close());

test.each([
  [400, true, /refuses a query: it is 400/],
  [422, true, /refuses a query: it is 422/],
  [503, false, /fails at a query \(status 503\): it is 503/],
])('status %i is a refusal of the query: %s', async (status, isRefusal, message) => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const prometheus = createPrometheus({ url, timeoutMs: 1000 });
  await expect(prometheus.query(String(status))).rejects.toMatchObject({
    isRefusal,
    message: expect.stringMatching(message) as string,
  });
});
