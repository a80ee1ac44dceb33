// Servers with OpenSSL of their own or the system's, a real client, and what it counted.
import { execa } from 'execa';
import { once } from 'node:events';
import { Agent, get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { startChild, type Child } from '../../demo/child.ts';
import { startAgent, valueOf, type RunningAgent } from '../support/agent.ts';
import { createCertificates } from '../support/certificates.ts';
import { describeKernel } from '../support/kernel.ts';
import { startNginx, type Nginx } from '../support/nginx.ts';
import { counter, requestsByProtocol, sumSeconds, turnsByTransport } from '../support/series.ts';
import { versionsIn } from '../support/servers.ts';

const undecoded = 'plumbline_tls_undecoded_connections_total';

describeKernel('tls', () => {
  let tree: CgroupTree;
  let agent: RunningAgent;
  let nginx: Nginx;
  let node: string;
  let python: string;
  let folder: string;
  const children: Child[] = [];

  const startServer = async (app: string, command: readonly string[]): Promise<string> => {
    const child = await startChild(command, { tree, cgroup: `${app}-v1` });
    children.push(child);
    return `https://127.0.0.1:${await child.firstLine()}`;
  };
  const script = (name: string) => new URL(`../support/servers/${name}`, import.meta.url).pathname;
  const curl = (url: string, ...options: string[]) =>
    execa('curl', ['-sSf', '--cacert', join(folder, 'ca'), '-o', '/dev/null', ...options, url]);
  /** Asks one after the other over one connection; returns how long it waited for heads of answers in all (s). */
  const ask = async (url: string, times: number, maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<number> => {
    const ca = await readFile(join(folder, 'ca'));
    const connections = new Agent({ keepAlive: true, maxSockets: 1, ca, maxVersion });
    let waitedMs = 0;
    for (let count = 0; count < times; count++) {
      const startMs = performance.now();
      const [answer] = (await once(get(url, { agent: connections }), 'response')) as [IncomingMessage];
      waitedMs += performance.now() - startMs;
      await once(answer.resume(), 'end');
    }
    connections.destroy();
    return waitedMs / 1000;
  };
  const attached = async () => {
    const metrics = await agent.metrics();
    return Number(/^plumbline_tls_libraries\{.*state="attached"\} (\d+)$/m.exec(metrics)?.[1] ?? NaN);
  };
  const untilAttached = async (libraries: number) => {
    const deadlineMs = Date.now() + 120_000;
    while (!((await attached()) >= libraries) && Date.now() < deadlineMs) await sleep(200);
  };

  beforeAll(async () => {
    tree = await createCgroupTree('plumbline-test-tls');
    folder = await mkdtemp(join(tmpdir(), 'plumbline-tls-'));
    const certificates = await createCertificates();
    for (const [name, text] of Object.entries<string>({ ...certificates }))
      await writeFile(join(folder, name), text);
    const { key, cert } = certificates;
    nginx = await startNginx({ tree, cgroup: 'nginx-v1' }, certificates);
    node = await startServer('node', [
      process.execPath,
      script('event-loop.js'),
      JSON.stringify({ key, cert }),
    ]);
    python = await startServer('python', ['python3', script('blocking.py'), folder]);
    agent = await startAgent(versionsIn(tree), { probes: ['http', 'turnaround', 'tls'] });
    await untilAttached(2);
  });

  afterAll(async () => {
    await agent.stop();
    await nginx.stop();
    await Promise.all(children.map((child) => child.stop()));
    await tree.remove();
    await rm(folder, { recursive: true });
  });

  test.each([
    ['nginx', () => `${nginx.tlsUrl}/hello`, 0],
    ['node', () => `${node}/wait/20`, 0.02],
    ['python', () => `${python}/wait/20`, 0.02],
  ])(
    '%s: each request counts once, as HTTP/1 and not as a turn, and takes no longer than its client waits',
    async (app, url, leastSeconds) => {
      const seconds = (await ask(url(), 40, 'TLSv1.3')) + (await ask(url(), 10, 'TLSv1.2'));
      const series = await agent.settledSeries();
      expect(requestsByProtocol(series, app)).toEqual({ 'http1 2xx': 50 });
      expect(turnsByTransport(series, app)).toEqual({});
      expect(sumSeconds(series, app)).toBeGreaterThan(50 * leastSeconds);
      expect(sumSeconds(series, app)).toBeLessThan(seconds);
    },
  );

  test('statuses, connections without an answer, and an upgrade after which all is left alone', async () => {
    const before = requestsByProtocol(await agent.settledSeries(), 'node');
    await curl(`${node}/status/201`);
    await expect(curl(`${node}/status/404`)).rejects.toThrow('404');
    await expect(curl(`${node}/status/503`)).rejects.toThrow('503');
    await expect(curl(`${node}/drop`)).rejects.toThrow();
    const socket = connectTls({ port: Number(new URL(node).port), rejectUnauthorized: false });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await once(socket, 'data');
    socket.write('GET is what it says, and the answer looks like HTTP\r\n');
    await once(socket, 'data');
    socket.destroy();
    const series = await agent.settledSeries();
    expect(requestsByProtocol(series, 'node')).toEqual({
      'http1 2xx': (before['http1 2xx'] ?? 0) + 1,
      'http1 1xx': 1,
      'http1 4xx': 1,
      'http1 5xx': 1,
    });
    expect(counter(series, 'plumbline_http_unanswered_total', 'node')).toBe(1);
  });

  test('HTTP/2 inside is counted by connection, and has its turns', async () => {
    await curl(`${nginx.tlsUrl}/hello#[1-5]`, '--http2');
    const series = await agent.settledSeries();
    expect(counter(series, undecoded, 'nginx')).toBe(1);
    expect(turnsByTransport(series, 'nginx').tls).toBeGreaterThan(0);
  });

  test('clients count as nobody', async () => {
    const command = `curl -sk --http1.1 -o /dev/null '${nginx.tlsUrl}/hello#[1-20]' && echo done`;
    const client = await startChild(['sh', '-c', command], { tree, cgroup: 'client-v1' });
    expect(await client.firstLine()).toBe('done');
    expect(requestsByProtocol(await agent.settledSeries(), 'client')).toEqual({});
  });

  test('a library that comes later is followed, by a bpftrace that goes on where the other was', async () => {
    const before = requestsByProtocol(await agent.settledSeries(), 'python');
    const known = await attached();
    const maps = await execa('python3', ['-c', 'import ssl; print(open("/proc/self/maps").read())']);
    const library = /\/.*\/libssl\.so.*/.exec(maps.stdout)?.[0] ?? '';
    await copyFile(library, join(folder, basename(library)));
    const late = await startServer('late', [
      'env',
      `LD_LIBRARY_PATH=${folder}`,
      'python3',
      script('blocking.py'),
      folder,
    ]);
    await untilAttached(known + 1);
    await curl(`${late}/#[1-10]`);
    await curl(`${python}/#[1-10]`);
    const series = await agent.settledSeries();
    expect(requestsByProtocol(series, 'late')).toEqual({ 'http1 2xx': 10 });
    expect(requestsByProtocol(series, 'python')).toEqual({
      'http1 2xx': (before['http1 2xx'] ?? 0) + 10,
    });
    expect(valueOf(await agent.metrics(), 'plumbline_probe_restarts_total')).toBe(0);
  }, 150_000);
});
