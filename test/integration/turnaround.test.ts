// Real TLS servers and clients, a protocol of our own, the real kernel, and what the clients counted.
import { execa } from 'execa';
import { once } from 'node:events';
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { startChild } from '../../demo/child.ts';
import { startAgent, type RunningAgent } from '../support/agent.ts';
import { createCertificates, type Certificates } from '../support/certificates.ts';
import { get, openConnection } from '../support/client.ts';
import { describeKernel } from '../support/kernel.ts';
import { startNginx, type Nginx } from '../support/nginx.ts';
import { counter, requestsByProtocol, turnsByTransport } from '../support/series.ts';
import { createServers, serverScript, versionsIn, type Servers } from '../support/servers.ts';

const unmeasured = 'plumbline_turnaround_unmeasured_total';

describeKernel('turnaround', () => {
  let tree: CgroupTree;
  let servers: Servers;
  let agent: RunningAgent;
  let nginx: Nginx;
  let certificates: Certificates;
  let folder: string;
  let early: Lines;

  const startServer = (script: string, ...args: string[]) =>
    servers.start(script.replace(/\W.*/, ''), [process.execPath, serverScript(script), ...args]);
  const startTlsServer = (maxVersion: string) => {
    const { key, cert } = certificates;
    return startServer('event-loop.js', JSON.stringify({ key, cert, maxVersion }));
  };
  /** curl asks one after the other over one connection, and says for each how long it waited for the first byte (s). */
  const curl = async (url: string, times: number, ...options: string[]) => {
    const files = ['--cacert', 'ca', '--cert', 'cert', '--key', 'key'].slice(
      0,
      options.includes('mtls') ? 6 : 2,
    );
    const args = [...files, ...options.filter((option) => option !== 'mtls')];
    const format = '%{time_pretransfer} %{time_starttransfer}\n';
    const { stdout } = await execa(
      'curl',
      ['--silent', '--show-error', '--fail', ...args, '-o', '/dev/null', '-w', format, `${url}#[1-${times}]`],
      { cwd: folder },
    );
    return stdout.split('\n').map((line) => {
      const [asked = NaN, answered = NaN] = line.split(' ').map(Number);
      return answered - asked;
    });
  };
  /** Requests to nginx: where it read the first along with the end of the handshake, they are no turn. */
  const nginxRequests = async (): Promise<{ turns: number; missed: number; all: number }> => {
    const series = await agent.settledSeries();
    const turns = turnsByTransport(series, 'nginx').tls ?? 0;
    const missed = counter(series, unmeasured, 'nginx');
    return { turns, missed, all: turns + missed };
  };

  beforeAll(async () => {
    tree = await createCgroupTree('plumbline-test-turnaround');
    servers = createServers(tree);
    certificates = await createCertificates();
    folder = await mkdtemp(join(tmpdir(), 'plumbline-turnaround-'));
    for (const [name, text] of Object.entries(certificates))
      await writeFile(join(folder, name), String(text));
    nginx = await startNginx({ tree, cgroup: 'nginx-v1' }, certificates);
    const before = await startServer('lines.js');
    early = await openLines(before.port);
    await early.ask('first');
    agent = await startAgent(versionsIn(tree), {
      probes: ['http', 'http2', 'turnaround'],
    });
  });

  afterAll(async () => {
    early.socket.destroy();
    await agent.stop();
    await nginx.stop();
    await servers.stop();
    await tree.remove();
    await rm(folder, { recursive: true });
  });

  test('a connection that was opened before the agent started is measured', async () => {
    await early.ask('second');
    expect(turnsByTransport(await agent.settledSeries(), 'lines1')).toEqual({ tcp: 1 });
  });

  test.each([
    ['TLS 1.2', ['--tls-max', '1.2']],
    ['TLS 1.3', ['--tlsv1.3']],
    ['TLS 1.3 with a client certificate', ['--tlsv1.3', 'mtls']],
    ['TLS 1.2 with a client certificate', ['--tls-max', '1.2', 'mtls']],
  ])(
    'nginx, %s: each request of a connection is a turn, and its handshake is none',
    async (_name, options) => {
      const before = await nginxRequests();
      await curl(`${nginx.tlsUrl}/hello`, 50, '--http1.1', ...options);
      const after = await nginxRequests();
      expect(after.all - before.all).toBe(50);
      expect(after.missed - before.missed).toBeLessThanOrEqual(1);
    },
  );

  test('nginx: the first request of each of 200 connections counts', async () => {
    const before = await nginxRequests();
    await execa('h2load', ['--h1', '-n', '200', '-c', '200', `${nginx.tlsUrl}/hello`]);
    const after = await nginxRequests();
    expect(after.all - before.all).toBe(200);
    expect(after.turns).toBeGreaterThan(before.turns);
  });

  test.each(['TLSv1.2', 'TLSv1.3'])(
    'Node, %s: each request is a turn, or came along with the end of the handshake',
    async (version) => {
      const { app, port } = await startTlsServer(version);
      const seconds = await curl(`https://127.0.0.1:${port}/wait/20`, 10);
      for (let connections = 0; connections < 5; connections++) await curl(`https://127.0.0.1:${port}/`, 1);
      const series = await agent.settledSeries();
      const turns = turnsByTransport(series, app);
      expect(Object.keys(turns)).toEqual(['tls']);
      const missed = counter(series, unmeasured, app);
      expect((turns.tls ?? 0) + missed).toBe(15);
      expect(missed).toBeLessThanOrEqual(version === 'TLSv1.2' ? 0 : 6);
      const [histogram] = (series.histograms.plumbline_turnaround_seconds ?? []).filter(
        ({ labels }) => labels.app === app,
      );
      const client = seconds.reduce((sum, one) => sum + one, 0);
      expect(histogram?.sumSeconds).toBeGreaterThan(9 * 0.0195);
      expect(histogram?.sumSeconds).toBeLessThan(client + 5 * 0.05);
    },
  );

  test('a protocol that nobody knows: an answer is a turn, what comes unasked or not at all is none', async () => {
    const { app, port } = await startServer('lines.js');
    const client = await openLines(port);
    for (let index = 0; index < 20; index++) await client.ask(index % 2 === 0 ? 'PING' : 'get key');
    await client.ask('push');
    await sleep(100);
    await client.ask('wait 100');
    client.socket.write('quit\n');
    await once(client.socket, 'close');
    const series = await agent.settledSeries();
    expect(turnsByTransport(series, app)).toEqual({ tcp: 22 });
    const [net] = (series.histograms.plumbline_turnaround_net_seconds ?? []).filter(
      ({ labels }) => labels.app === app,
    );
    expect(net?.sumSeconds).toBeGreaterThan(0.095);
  });

  test('HTTP/1 and HTTP/2 in clear text are left to their probes, whole heads and torn ones', async () => {
    const { app, port } = await startServer('event-loop.js');
    const connection = await openConnection(port);
    connection.send(get());
    await connection.responses(1);
    connection.send('G');
    await sleep(30);
    connection.send(get().slice(1));
    await connection.responses(2);
    connection.socket.destroy();
    const torn = await openConnection(port);
    torn.send('GE');
    await sleep(30);
    torn.send(get().slice(2));
    await torn.responses(1);
    torn.socket.destroy();
    const http2 = await startServer('http2.js');
    await execa('curl', ['-s', '--http2-prior-knowledge', `http://127.0.0.1:${http2.port}/`]);
    const series = await agent.settledSeries();
    expect(requestsByProtocol(series, app)).toEqual({ 'http1 2xx': 3 });
    expect(requestsByProtocol(series, http2.app)).toEqual({ 'http2 2xx': 1 });
    expect(turnsByTransport(series, app)).toEqual({});
    expect(turnsByTransport(series, http2.app)).toEqual({});
  });

  test('clients have no turns', async () => {
    const client = await startChild(['curl', '-sk', '-o', '/dev/null', `${nginx.tlsUrl}/hello#[1-20]`], {
      tree,
      cgroup: 'client-v1',
    });
    await sleep(1000);
    await client.stop();
    expect(turnsByTransport(await agent.settledSeries(), 'client')).toEqual({});
  });
});

interface Lines {
  readonly socket: Socket;
  /** Sends a line, and resolves with the one that answers it. */
  readonly ask: (line: string) => Promise<void>;
}

const openLines = async (port: number): Promise<Lines> => {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return {
    socket,
    ask: async (line) => {
      socket.write(`${line}\n`);
      await once(socket, 'data');
    },
  };
};
