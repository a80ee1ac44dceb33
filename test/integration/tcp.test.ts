// Connections of real clients to real servers, against what the clients and the kernel's own tools counted.
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { JsonSeries } from '../../agent/src/series/json.ts';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { startChild, type Child } from '../../demo/child.ts';
import { startAgent, type RunningAgent } from '../support/agent.ts';
import { describeKernel } from '../support/kernel.ts';
import { bpftracesOf } from '../support/processes.ts';
import { fieldOfPrograms } from '../support/programs.ts';
import { serverScript, versionsIn } from '../support/servers.ts';

const namespace = `plumbline-tcp-${process.pid}`;
/** See link.py: what each address stands for. */
const [farAddress, unreachable, silent] = ['198.18.77.2', '198.18.78.1', '198.18.79.1'];

/** What every client begins with: `ask` sends five bytes and reads the thousand that come back. */
const prelude = `import resource, socket, struct, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
def ask(connection):
  connection.sendall(b'hello')
  left = 1000
  while left > 0: left -= len(connection.recv(left))
def done(what=''):
  print(what, flush=True)
  time.sleep(1000)
`;

describeKernel('tcp', () => {
  let tree: CgroupTree;
  let agent: RunningAgent;
  let port: number;
  let port6: number;
  const servers: Child[] = [];
  const children: Child[] = [];

  const serve = async (cgroup: string, host: string, { under = [], pause = 0 }: ServeOptions = {}) => {
    const child = await startChild([...under, 'python3', serverScript('tcp.py'), host, String(pause)], {
      tree,
      cgroup,
    });
    servers.push(child);
    return Number(await child.firstLine());
  };
  /** Runs a client until it says that it is done; it keeps open what it has open. */
  const run = async (app: string, code: string) => {
    const child = await startChild(['python3', '-c', `${prelude}${code}`], { tree, cgroup: `${app}-v1` });
    children.push(child);
    return { said: await child.firstLine(), end: () => child.stop() };
  };
  /** Everything that is counted of an app, by metric without its prefix, and labels. */
  const counted = async (app: string): Promise<Record<string, number>> => {
    return countsOf(await agent.settledSeries(), app);
  };

  beforeAll(async () => {
    tree = await createCgroupTree('plumbline-test-tcp');
    await execa('ip', ['netns', 'add', namespace]);
    const link = await startChild(['python3', serverScript('link.py'), namespace, `pl${process.pid}`], {
      tree,
      cgroup: 'link',
    });
    servers.push(link);
    await link.firstLine();
    port = await serve('server-v1', '127.0.0.1');
    port6 = await serve('server6-v1', '::1');
    agent = await startAgent(
      `
bpftrace: { maxMapKeys: 65536 }
tcp: { peerPorts: [${port}] }
${versionsIn(tree)}`,
      { probes: ['tcp'] },
    );
  });

  afterEach(async () => {
    await Promise.all(children.splice(0).map((child) => child.stop()));
  });

  afterAll(async () => {
    await agent.stop();
    await Promise.all(servers.map((child) => child.stop()));
    await execa('ip', ['netns', 'delete', namespace], { reject: false });
    await tree.remove();
  });

  test('connections and bytes are those that the client made, by role, on IPv4 and IPv6', async () => {
    const client = await run(
      'client',
      `def use(address, asked):
  connection = socket.create_connection(address)
  for _ in range(asked): ask(connection)
  return connection
for _ in range(300): use(('127.0.0.1', ${port}), 2).close()
for _ in range(100): use(('::1', ${port6}), 1).close()
kept = [use(('127.0.0.1', ${port}), 1) for _ in range(20)]
done()`,
    );
    expect(await counted('client')).toMatchObject({
      [`opened client ${port}`]: 320,
      [`closed client ${port}`]: 300,
      [`active client ${port}`]: 20,
      [`sent_bytes client ${port}`]: 3000,
      [`received_bytes client ${port}`]: 600_000,
      [`connection_duration client ${port}`]: 300,
      [`srtt client ${port}`]: 300,
      'opened client other': 100,
      'closed client other': 100,
      'received_bytes client other': 100_000,
    });
    expect(await counted('server')).toMatchObject({
      'opened server': 320,
      'closed server': 300,
      'active server': 20,
      'accept_queue server': 320,
      'sent_bytes server': 600_000,
      'received_bytes server': 3000,
    });
    expect(await counted('server6')).toMatchObject({ 'opened server': 100, 'closed server': 100 });
    await client.end();
    expect(await counted('server')).toMatchObject({ 'closed server': 320, 'active server': 0 });
    expect(await counted('client')).toMatchObject({ [`active client ${port}`]: 0 });
  });

  test('what a client tried for and did not get tells why', async () => {
    await run(
      'luckless',
      `closed = socket.socket(); closed.bind(('127.0.0.1', 0))
for _ in range(7):
  try: socket.create_connection(closed.getsockname())
  except ConnectionRefusedError: pass
def attempt(host, seconds):
  one = socket.socket()
  one.setsockopt(socket.IPPROTO_TCP, 7, 1) # TCP_SYNCNT
  one.settimeout(seconds)
  try: one.connect((host, 9))
  except OSError: pass
  one.close()
attempt('${unreachable}', 20)
attempt('${silent}', 20)
attempt('${silent}', 0.2)
attempt('${silent}', 0.2)
done()`,
    );
    const { 'retransmits client other': retransmits, ...counts } = await counted('luckless');
    expect(counts).toEqual({
      'failed client other refused': 7,
      'failed client other unreachable': 1,
      'failed client other timed_out': 1,
      'failed client other abandoned': 2,
    });
    // How many times a SYN is repeated differs between kernels.
    expect(retransmits).toBeGreaterThan(0);
  });

  test('a reset is counted by who sent it', async () => {
    await run(
      'rude',
      `for _ in range(5):
  connection = socket.create_connection(('127.0.0.1', ${port}))
  ask(connection)
  connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
  connection.close()
done()`,
    );
    expect(await counted('rude')).toMatchObject({
      [`reset client ${port} sent`]: 5,
      [`closed client ${port}`]: 5,
    });
    expect(await counted('server')).toMatchObject({ 'reset server received': 5 });
  });

  test('a connection waits in the accept queue until the server takes it', async () => {
    const slow = await serve('slow-v1', '127.0.0.1', { pause: 0.3 });
    await run(
      'impatient',
      `kept = [socket.create_connection(('127.0.0.1', ${slow})) for _ in range(3)]
time.sleep(1)
done()`,
    );
    expect(await counted('slow')).toMatchObject({ 'accept_queue server': 3 });
    const [waits] = of(await agent.series(), 'plumbline_tcp_accept_queue_seconds', 'slow');
    // Nothing, 0.3 s and 0.6 s.
    expect(waits?.sumSeconds).toBeGreaterThan(0.85);
  });

  test('round trip time and retransmits are those of ss, on a link that delays and loses', async () => {
    const inside = ['ip', 'netns', 'exec', namespace];
    const far = await serve('far-v1', farAddress, { under: inside });
    const client = await run(
      'distant',
      `connection = socket.create_connection(('${farAddress}', ${far}))
for _ in range(40): ask(connection)
done()`,
    );
    const near = await execa('ss', ['-Hti', 'dst', `${farAddress}:${far}`]);
    const there = await execa('ip', [
      ...inside.slice(1),
      'ss',
      '-Hti',
      'state',
      'established',
      'sport',
      String(far),
    ]);
    await client.end();
    const rttSeconds = (app: string, ss: { stdout: string }) => {
      const rtt = Number(/\brtt:([\d.]+)/.exec(ss.stdout)?.[1]) / 1000;
      expect(rtt).toBeGreaterThan(0.035);
      return [app, rtt] as const;
    };
    const truth = Object.fromEntries([rttSeconds('distant', near), rttSeconds('far', there)]);
    const retransmits = Number(/\bretrans:\d+\/(\d+)/.exec(there.stdout)?.[1]);
    expect(retransmits).toBeGreaterThan(2);
    expect(await counted('far')).toMatchObject({ 'closed server': 1, 'retransmits server': retransmits });
    const series = await agent.series();
    for (const [app, seconds] of Object.entries(truth)) {
      const [srtt] = of(series, 'plumbline_tcp_srtt_seconds', app);
      // Closing measures the round trip once more, after ss has told it.
      expect(Math.abs((srtt?.sumSeconds ?? NaN) - seconds) / seconds).toBeLessThan(0.2);
    }
  });

  test('ten thousand connections at once are all there, and all gone afterwards', async () => {
    const client = await run(
      'crowd',
      `kept = [socket.create_connection(('127.0.0.1', ${port})) for _ in range(10000)]
done()`,
    );
    expect(await counted('crowd')).toMatchObject({
      [`opened client ${port}`]: 10_000,
      [`active client ${port}`]: 10_000,
    });
    await client.end();
    const closed = async () => (await counted('crowd'))[`closed client ${port}`] ?? 0;
    // What interrupts a program finds it active on its CPU: the kernel then leaves others out, and counts how often.
    const [bpftrace = 0] = await bpftracesOf(agent.pid);
    const skipped = async () =>
      (await fieldOfPrograms(bpftrace, 'recursion_misses')).reduce((sum, one) => sum + one, 0);
    // Each is closed when the server has closed its end, too.
    await expect
      .poll(async () => (await closed()) + (await skipped()), { timeout: 20_000 })
      .toBeGreaterThanOrEqual(10_000);
    const seen = await closed();
    expect(await counted('crowd')).toMatchObject({
      [`opened client ${port}`]: 10_000,
      [`closed client ${port}`]: seen,
      [`active client ${port}`]: 10_000 - seen,
      [`connection_duration client ${port}`]: seen,
      [`srtt client ${port}`]: seen,
    });
  });
});

interface ServeOptions {
  /** A command that runs the server. */
  readonly under?: readonly string[];
  readonly pause?: number;
}

const of = (series: JsonSeries, metric: string, app: string) =>
  (series.histograms[metric] ?? []).filter(({ labels }) => labels.app === app);

const countsOf = (series: JsonSeries, app: string): Record<string, number> => {
  const keyOf = (metric: string, labels: Readonly<Record<string, string>>) =>
    [
      metric.replace(/^plumbline_tcp_(connections_)?|_(total|seconds)$/g, ''),
      ...['role', 'peer_port', 'reason', 'direction'].map((label) => labels[label] ?? ''),
    ]
      .filter((part) => part !== '')
      .join(' ');
  const found: [string, number][] = [];
  for (const [metric, all] of Object.entries(series.counters))
    for (const { labels, value } of all)
      if (metric.startsWith('plumbline_tcp_') && labels.app === app)
        found.push([keyOf(metric, labels), value]);
  for (const [metric, all] of Object.entries(series.histograms))
    for (const { labels, counts } of all)
      if (metric.startsWith('plumbline_tcp_') && labels.app === app)
        found.push([keyOf(metric, labels), counts.reduce((total, count) => total + count, 0)]);
  return Object.fromEntries(found);
};
