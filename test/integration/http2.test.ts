// Real HTTP/2 and gRPC servers and clients, the real kernel, and what the clients counted.
import * as grpc from '@grpc/grpc-js';
import { execa } from 'execa';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { startAgent, type RunningAgent } from '../support/agent.ts';
import { makeCalls, preface, request, uploadBesideRequests, writeTorn } from '../support/http2.ts';
import { describeKernel } from '../support/kernel.ts';
import { startNginx, type Nginx } from '../support/nginx.ts';
import { bpftracesOf } from '../support/processes.ts';
import { fieldOfPrograms, mostVerified } from '../support/programs.ts';
import { http2Counts, requestsByProtocol, sumSeconds } from '../support/series.ts';
import { createServers, serverScript, versionsIn, type Servers } from '../support/servers.ts';

describeKernel('http2', () => {
  let tree: CgroupTree;
  let servers: Servers;
  let agent: RunningAgent;
  let nginx: Nginx;
  let early: ClientHttp2Session;

  const startServer = (kind: 'http2' | 'grpc') =>
    servers.start(kind, [process.execPath, serverScript(`${kind}.js`)]);
  const seen = async (app: string) => http2Counts(await agent.settledSeries(), app);

  beforeAll(async () => {
    tree = await createCgroupTree('plumbline-test-http2');
    servers = createServers(tree);
    nginx = await startNginx({ tree, cgroup: 'nginx-v1' });
    const before = await startServer('http2');
    early = connectHttp2(`http://127.0.0.1:${before.port}`);
    await request(early, '/');
    agent = await startAgent(versionsIn(tree), { probes: ['http', 'http2'] });
  }, 120_000);

  afterAll(async () => {
    early.destroy();
    await agent.stop();
    await nginx.stop();
    await servers.stop();
    await tree.remove();
  });

  test('the verifier is far from its limit with every program', async () => {
    const [pid = 0] = await bpftracesOf(agent.pid);
    const verified = Math.max(...(await fieldOfPrograms(pid, 'verified_insns')));
    expect(verified).toBeGreaterThan(0);
    expect(verified).toBeLessThanOrEqual(mostVerified);
  });

  test('a connection that was opened before the agent started is measured', async () => {
    for (let round = 0; round < 5; round++) await request(early, '/');
    expect(await seen('http21')).toEqual({ 'http2 2xx': 5 });
  });

  test('nginx: every request of h2load counts, many streams at once', async () => {
    const { stdout } = await execa('h2load', ['-n', '2000', '-c', '4', '-m', '5', nginx.http2Url + '/hello']);
    expect(stdout).toContain('2000 succeeded');
    expect(await seen('nginx')).toMatchObject({ 'http2 2xx': 2000 });
  });

  test('nginx: statuses from the static table, as literals, and a file by sendfile', async () => {
    const app = 'nginx';
    const before = await seen(app);
    const session = connectHttp2(nginx.http2Url);
    for (const path of ['/file.txt', '/none', '/file.txt', '/created', '/moved', '/teapot'])
      await request(session, path);
    session.close();
    const after = await seen(app);
    const added = (key: string) => (after[key] ?? 0) - (before[key] ?? 0);
    expect(['http2 2xx', 'http2 3xx', 'http2 4xx'].map(added)).toEqual([3, 1, 2]);
  });

  test('curl: a connection for each request', async () => {
    const before = (await seen('nginx'))['http2 2xx'] ?? 0;
    for (let round = 0; round < 5; round++)
      await execa('curl', ['-sS', '--http2-prior-knowledge', nginx.http2Url + '/hello']);
    expect(((await seen('nginx'))['http2 2xx'] ?? 0) - before).toBe(5);
  });

  test('node: statuses, many streams at once, and header blocks larger than a frame', async () => {
    const { app, port } = await startServer('http2');
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await Promise.all(Array.from({ length: 4 }, () => request(session, '/')));
    for (const status of [200, 204, 304, 404, 500]) await request(session, `/status/${status}`);
    await request(session, '/large/40000');
    await request(session, '/', { 'x-large': 'x'.repeat(30_000) });
    await request(session, '/padded/100000');
    session.close();
    expect(await seen(app)).toEqual({ 'http2 2xx': 9, 'http2 3xx': 1, 'http2 4xx': 1, 'http2 5xx': 1 });
  });

  test('a status from the dynamic table counts by its class while that is the only one there, else as unknown', async () => {
    const { app, port } = await startServer('http2');
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    for (const status of [503, 503, 503, 429, 429]) await request(session, `/status/${status}`);
    session.close();
    expect(await seen(app)).toEqual({ 'http2 5xx': 3, 'http2 4xx': 1, 'http2 unknown': 1 });
  });

  test('a request ends with its first HEADERS, and informational ones do not end it', async () => {
    const { app, port } = await startServer('http2');
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await request(session, '/hint/100');
    await request(session, '/slow-body/1000');
    session.close();
    const series = await agent.settledSeries();
    expect(requestsByProtocol(series, app)).toEqual({ 'http2 2xx': 2 });
    expect(sumSeconds(series, app)).toBeGreaterThan(0.1);
    expect(sumSeconds(series, app)).toBeLessThan(1);
  });

  test('an upload of many frames, and requests beside it, stay in step', async () => {
    const { app, port } = await startServer('http2');
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await uploadBesideRequests(session, 20);
    session.close();
    expect(await seen(app)).toEqual({ 'http2 2xx': 21 });
  });

  test('streams that are reset, or open when their connection closes, count as unanswered', async () => {
    const { app, port } = await startServer('http2');
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await request(session, '/reset').catch(() => undefined);
    const cancelled = session.request({ ':path': '/never' });
    await sleep(50);
    cancelled.close(8);
    session.request({ ':path': '/never' }).on('error', () => undefined);
    await sleep(50);
    session.destroy();
    expect(await seen(app)).toEqual({ 'http_unanswered_total http2': 3 });
  });

  test('frames that are torn anywhere between segments are followed', async () => {
    const { app, port } = await startServer('http2');
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    await once(socket, 'connect');
    await writeTorn(socket);
    expect(await seen(app)).toEqual({ 'http2 2xx': 4 });
  });

  test('more frames in one write than a program looks at are counted as lost, and the rest stays in step', async () => {
    const { app, port } = await startServer('http2');
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await Promise.all(Array.from({ length: 60 }, () => request(session, '/wait/50')));
    for (let round = 0; round < 10; round++) await request(session, '/');
    session.close();
    const counts = await seen(app);
    expect(counts['http2_lost_total in']).toBeGreaterThan(0);
    expect(counts['http2_lost_total out']).toBeGreaterThan(0);
    expect(counts['http2 2xx']).toBeGreaterThan(10);
    expect(counts['http2_unseen_requests_total ']).toBeGreaterThan(0);
    const [unseen = 0, unmatched = 0] = ['unseen_answers', 'unmatched_responses'].map(
      (name) => counts[`http_${name}_total http2`],
    );
    expect((counts['http2 2xx'] ?? 0) + unseen + unmatched).toBeLessThanOrEqual(70);
  });

  test('bytes that begin like HTTP/2 and are not are counted as lost, and invent no request', async () => {
    const { app, port } = await startServer('http2');
    const socket = connect(port, '127.0.0.1').resume();
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(Buffer.concat([preface, Buffer.alloc(2000, 0xee)]));
    await sleep(100);
    socket.destroy();
    expect(await seen(app)).toEqual({ 'http2_lost_total in': 1 });
  });

  test('grpc: unary calls, errors as trailers alone, and streams to their trailers', async () => {
    const { app, port } = await startServer('grpc');
    const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    await makeCalls(client);
    client.close();
    expect(await seen(app)).toEqual({ 'grpc 2xx': 22, 'grpc grpc_error': 3 });
    expect(sumSeconds(await agent.settledSeries(), app)).toBeGreaterThan(0.15);
  });
});
