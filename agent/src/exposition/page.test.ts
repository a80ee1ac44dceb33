import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadPage } from './page.ts';

let folder: string;
let server: Server;
const ask = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, { headers });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumbline-page-'));
  await mkdir(join(folder, 'fonts'));
  await writeFile(join(folder, 'index.html'), '<script nonce="%NONCE%" src="page/page.js"></script>');
  await writeFile(join(folder, 'page.js.gz'), gzipSync('run();'));
  await writeFile(join(folder, 'fonts/one.woff2'), 'glyphs');
  await writeFile(join(folder, 'secrets.env'), 'not of a type that pages have');
  const page = await loadPage(folder);
  server = createServer((request, response) => {
    if (page?.(request.url ?? '', request, response) !== true) response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

test('the page has a policy of its own script, and a nonce for its styles that is new each time', async () => {
  const nonces = await Promise.all(
    [1, 2].map(async () => {
      const response = await ask('/');
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'; script-src 'self';");
      expect(policy).not.toContain('unsafe');
      const nonce = /nonce="([^"]+)"/.exec(await response.text())?.[1] ?? '';
      expect(policy).toContain(`style-src 'self' 'nonce-${nonce}'`);
      return nonce;
    }),
  );
  expect(nonces[0]).toMatch(/^[\w+/]{22}==$/);
  expect(nonces[0]).not.toBe(nonces[1]);
});

test.each(['gzip', 'identity'])('a file is read with accept-encoding: %s', async (encoding) => {
  const response = await ask('/page/page.js', { 'accept-encoding': encoding });
  expect(await response.text()).toBe('run();');
  expect(response.headers.get('content-encoding')).toBe(encoding === 'gzip' ? 'gzip' : null);
  expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
});

test('who has a file already gets it no second time', async () => {
  const etag = (await ask('/page/fonts/one.woff2')).headers.get('etag') ?? '';
  const again = await ask('/page/fonts/one.woff2', { 'if-none-match': etag });
  expect([again.status, await again.text()]).toEqual([304, '']);
});

test.each(['/page/secrets.env', '/page/index.html', '/page/../page.js', '/page/%2e%2e/page.ts', '/other'])(
  '%s is not of the page',
  async (path) => {
    expect((await ask(path)).status).toBe(404);
  },
);

test('where nobody has built it there is none', async () => {
  expect(await loadPage(join(folder, 'nowhere'))).toBeUndefined();
});
