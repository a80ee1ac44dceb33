// Servers with OpenSSL of their own or the system's, a real client, and what it counted.
import * as grpc from '@grpc/grpc-js';
import { execa } from 'execa';
import { once } from 'node:events';
import { Agent, get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { startChild, type Child } from '../../demo/child.ts';
import { startAgent, valueOf, type RunningAgent } from '../support/agent.ts';
import { createCertificates } from '../support/certificates.ts';
import {
  frame,
  headersFrame,
  makeCalls,
  preface,
  request,
  uploadBesideRequests,
  writeTorn,
} from '../support/http2.ts';
import { describeKernel } from '../support/kernel.ts';
import { largeBytes, startNginx, type Nginx } from '../support/nginx.ts';
import { counter, http2Counts, requestsByProtocol, sumSeconds, turnsByTransport } from '../support/series.ts';
import { versionsIn } from '../support/servers.ts';

describeKernel('tls', () => {
  let tree: CgroupTree;
  let agent: RunningAgent;
  let nginx: Nginx;
  let node: string;
  let python: string;
  let http2: string;
  let grpcServer: string;
  let early: ClientHttp2Session;
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
  const openSession = async (url: string) => connectHttp2(url, { ca: await readFile(join(folder, 'ca')) });
  /** A connection on which the test says each byte. */
  const openSocket = async (url: string) => {
    const options = { port: Number(new URL(url).port), rejectUnauthorized: false, ALPNProtocols: ['h2'] };
    const socket = connectTls(options).setNoDelay(true);
    await once(socket, 'secureConnect');
    return socket;
  };
  const seen = async (app: string) => http2Counts(await agent.settledSeries(), app);
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
    const startNode = (app: string, file: string) =>
      startServer(app, [process.execPath, script(file), JSON.stringify({ key, cert })]);
    node = await startNode('node', 'event-loop.js');
    http2 = await startNode('http2', 'http2.js');
    grpcServer = await startNode('grpc', 'grpc.js');
    python = await startServer('python', ['python3', script('blocking.py'), folder]);
    early = await openSession(http2);
    await request(early, '/');
    agent = await startAgent(versionsIn(tree), { probes: ['http', 'http2', 'turnaround', 'tls'] });
    await untilAttached(2);
  }, 120_000);

  afterAll(async () => {
    early.destroy();
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

  test('a request that a busy server reads after its client has reset is unanswered, whatever it writes', async () => {
    const before = await agent.settledSeries();
    const open = async () => {
      const below = connect(Number(new URL(node).port));
      const socket = connectTls({ socket: below, rejectUnauthorized: false });
      for (const one of [below, socket]) one.on('error', () => undefined);
      await once(socket, 'secureConnect');
      const ask = (path: string) => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      return { below, socket, ask };
    };
    const [blocker, impatient] = [await open(), await open()];
    for (const [{ socket, ask }, path] of [
      [impatient, '/'],
      [blocker, '/block/400'],
    ] as const) {
      ask(path);
      await once(socket, 'data');
    }
    impatient.ask('/');
    await sleep(20);
    impatient.below.resetAndDestroy();
    blocker.ask('/');
    await once(blocker.socket, 'data');
    blocker.socket.destroy();
    const after = await agent.settledSeries();
    const added = (count: (series: typeof after) => number | undefined) =>
      (count(after) ?? 0) - (count(before) ?? 0);
    expect(added((series) => requestsByProtocol(series, 'node')['http1 2xx'])).toBe(3);
    expect(added((series) => counter(series, 'plumbline_http_unanswered_total', 'node'))).toBe(1);
  });

  test('HTTP/2, nginx: every request of h2load and curl counts once, many streams at once, and none is a turn', async () => {
    const { stdout } = await execa('h2load', ['-n', '1000', '-c', '4', '-m', '5', `${nginx.tlsUrl}/hello`]);
    expect(stdout).toContain('1000 succeeded');
    await curl(`${nginx.tlsUrl}/hello#[1-5]`, '--http2');
    await curl(`${nginx.tlsUrl}/hello`, '--http2', '--tls-max', '1.2');
    const session = await openSession(nginx.tlsUrl);
    for (const path of ['/file.txt', '/none', '/file.txt']) await request(session, path);
    session.close();
    const series = await agent.settledSeries();
    expect(http2Counts(series, 'nginx')).toMatchObject({ 'http2 2xx': 1008, 'http2 4xx': 1 });
    expect(turnsByTransport(series, 'nginx')).toEqual({});
  });

  test('HTTP/2, nginx: what is written again, since the client did not take it, is not looked at again', async () => {
    const before = await seen('nginx');
    const socket = await openSocket(nginx.tlsUrl);
    const window = Buffer.from([0x7f, 0, 0, 0]);
    const settings = frame(4, 0, 0, Buffer.concat([Buffer.of(0, 4), window]));
    const large = headersFrame(1, { path: '/large.bin' });
    socket.write(Buffer.concat([preface, settings]));
    await sleep(50);
    socket.write(Buffer.concat([frame(4, 1, 0), frame(8, 0, 0, window), large]));
    await sleep(300);
    let received = 0;
    for await (const chunk of socket) {
      received += (chunk as Buffer).length;
      if (received >= largeBytes) break;
    }
    expect(await seen('nginx')).toEqual({ ...before, 'http2 2xx': (before['http2 2xx'] ?? 0) + 1 });
  });

  test('HTTP/2, node: a connection from before, many streams, statuses, resets, and an upload of many records', async () => {
    // The first read of a thread shows whose it is.
    for (let round = 0; round < 6; round++) await request(early, '/');
    const session = await openSession(http2);
    await Promise.all(Array.from({ length: 4 }, () => request(session, '/')));
    for (const status of [204, 304, 404, 500]) await request(session, `/status/${status}`);
    await uploadBesideRequests(session, 5);
    await request(session, '/reset').catch(() => undefined);
    session.request({ ':path': '/never' }).on('error', () => undefined);
    await sleep(50);
    session.destroy();
    expect(await seen('http2')).toEqual({
      'http2 2xx': 16,
      'http2 3xx': 1,
      'http2 4xx': 1,
      'http2 5xx': 1,
      'http_unanswered_total http2': 2,
    });
  });

  test('HTTP/2, node: it takes as long as its client waits, at most; and frames may be torn between records', async () => {
    const before = await agent.settledSeries();
    const session = await openSession(http2);
    const startMs = performance.now();
    for (let round = 0; round < 10; round++) await request(session, '/wait/20');
    const waitedSeconds = (performance.now() - startMs) / 1000;
    session.close();
    const series = await agent.settledSeries();
    const seconds = sumSeconds(series, 'http2') - sumSeconds(before, 'http2');
    expect(seconds).toBeGreaterThan(0.2);
    expect(seconds).toBeLessThan(waitedSeconds);
    await writeTorn(await openSocket(http2));
    const was = http2Counts(series, 'http2');
    expect(await seen('http2')).toEqual({ ...was, 'http2 2xx': (was['http2 2xx'] ?? 0) + 4 });
  });

  test('gRPC: unary calls, errors as trailers alone, and streams to their trailers', async () => {
    const credentials = grpc.credentials.createSsl(await readFile(join(folder, 'ca')));
    const client = new grpc.Client(new URL(grpcServer).host, credentials);
    await makeCalls(client);
    client.close();
    expect(await seen('grpc')).toEqual({ 'grpc 2xx': 22, 'grpc grpc_error': 3 });
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
