// In: this machine. Out: the figures of the README: exactness, truth of latencies, cost in the target, cost of the agent.
import { Command } from 'commander';
import { execa } from 'execa';
import { cpus, release } from 'node:os';
import { formatSeconds } from '../../agent/src/cli/table.ts';
import { versionRows } from '../../agent/src/cli/versions.ts';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { keepAwake, startChild } from '../../demo/child.ts';
import { startAgent, valueOf, type RunningAgent } from '../support/agent.ts';
import { createCertificates } from '../support/certificates.ts';
import { startNginx, type Nginx } from '../support/nginx.ts';
import { requestCount } from '../support/series.ts';
import { bpftracesOf } from '../support/processes.ts';
import { serverScript, versionsIn } from '../support/servers.ts';
import { cpuSeconds, residentMegabytes } from './cost.ts';
import { costInTarget, costOfProbes } from './kernel-time.ts';
import { pollAtRate } from './polling.ts';
import { soak } from './soak.ts';
import { head, note, print, row } from './table.ts';
import { wrkAtRate, wrkExactly, type LoadResult } from './wrk.ts';

interface World {
  readonly tree: CgroupTree;
  readonly nginx: Nginx;
  readonly agent: RunningAgent;
  readonly bpftracePid: number;
}

const lastCore = cpus().length - 1;
/** The servers share the last core, the load has the first. */
async function withWorld(use: (world: World) => Promise<void>): Promise<void> {
  const tree = await createCgroupTree('plumbline-bench');
  try {
    const nginx = await startNginx({ tree, cgroup: 'nginx-v1', cpu: lastCore }, await createCertificates());
    const agent = await startAgent(
      // What is measured is not to be switched off.
      `budget: { cpuPercent: 10000, sampleInterval: 10s }
${versionsIn(tree)}`,
      { intervalMs: 1000, probes: 'all' },
    );
    const [bpftracePid = NaN] = await bpftracesOf(agent.pid);
    // The client would take the time that its core needs to wake for the server's latency.
    const awake = await keepAwake({ tree, cgroup: 'awake', cpu: 0 });
    try {
      await use({ tree, nginx, agent, bpftracePid });
    } finally {
      await awake.stop();
      await agent.stop();
      await nginx.stop();
    }
  } finally {
    await tree.remove();
  }
}

async function exactness({ nginx, agent }: World, requests: number): Promise<void> {
  note(`${requests} requests from wrk to nginx`);
  await agent.settle();
  const before = requestCount(await agent.series(), 'nginx');
  const servedBefore = await nginx.served();
  let asked = 0;
  const served = async () => (await nginx.served()) - servedBefore - ++asked;
  const url = `http://127.0.0.1:${nginx.port}/hello`;
  const wrk = await wrkExactly(url, requests, async () => (await served()) >= requests);
  await agent.settle();
  // Asking nginx how many it served are requests, too: the first one and those since.
  const counted = requestCount(await agent.series(), 'nginx') - before - asked - 1;
  print('### Exact counts\n');
  head('wrk', 'Plumbline', 'difference');
  row(wrk.requests, counted, counted - wrk.requests);
  print();
}

async function latencies(world: World, seconds: number): Promise<void> {
  print('### True latency: what a polling client measured and what Plumbline did\n');
  head(
    'server',
    'req/s',
    'p50 client',
    'p50 Plumbline',
    'p99 client',
    'p99 Plumbline',
    'within 10 % or 0.1 ms',
  );
  for (const rate of [100, 1000, 5000]) {
    for (const kind of ['node', 'nginx', 'python'] as const) {
      note(`${kind} at ${rate} req/s`);
      const { client, row: measured } = await withServer(kind, world, `${kind}${rate}`, (url, app) =>
        compare(world, app, () => pollAtRate(url, rate, seconds)),
      );
      const isTrue = (ours: number, theirs: number) =>
        Math.abs(ours - theirs) <= Math.max(1e-4, 0.1 * theirs);
      row(
        kind,
        (client.requests / client.seconds).toFixed(0),
        formatSeconds(client.p50Seconds),
        formatSeconds(measured.p50Seconds),
        formatSeconds(client.p99Seconds),
        formatSeconds(measured.p99Seconds),
        isTrue(measured.p50Seconds, client.p50Seconds) && isTrue(measured.p99Seconds, client.p99Seconds)
          ? 'yes'
          : 'no',
      );
    }
  }
  print();
}

async function neighbour(world: World, seconds: number): Promise<void> {
  print('### A noisy neighbour: how much of the added p99 scheduler delay explains\n');
  head('server', 'p99 quiet', 'p99 beside a burner', 'net p99 beside a burner', 'explained');
  for (const kind of ['node', 'nginx', 'python'] as const) {
    note(`${kind} beside a burner`);
    await withServer(kind, world, `${kind}noisy`, async (url, app) => {
      const { row: quiet } = await compare(world, app, () => pollAtRate(url, 1000, seconds));
      const burner = await startChild([process.execPath, '-e', 'for (;;);'], {
        tree: world.tree,
        cgroup: 'burner',
        cpu: lastCore,
      });
      const { row: noisy } = await compare(world, app, () => pollAtRate(url, 1000, seconds));
      await burner.stop();
      const added = noisy.p99Seconds - quiet.p99Seconds;
      const explained = (noisy.p99Seconds - Math.max(noisy.netP99Seconds, quiet.p99Seconds)) / added;
      row(
        kind,
        formatSeconds(quiet.p99Seconds),
        formatSeconds(noisy.p99Seconds),
        formatSeconds(noisy.netP99Seconds),
        `${(100 * explained).toFixed(0)} %`,
      );
    });
  }
  print();
}

async function costOfAgent({ nginx, agent, bpftracePid }: World): Promise<void> {
  note('cost of the agent at 10,000 req/s');
  // Of both its processes.
  const own = async (name: string) => valueOf(await agent.metrics(), `plumbline_agent_${name}`);
  const read = async () => ({
    node: await own('cpu_seconds_total'),
    bpftrace: await cpuSeconds(bpftracePid),
    byProbe: kernelSeconds(await agent.metrics()),
  });
  const before = await read();
  const wrk = await wrkAtRate(`http://127.0.0.1:${nginx.port}/hello`, 22_000, 30);
  const after = await read();
  print('### Cost of the agent with all probes, interval 1 s, of one core\n');
  head('req/s', 'Node CPU', 'bpftrace CPU', 'Node RSS', 'bpftrace RSS');
  const share = (seconds: number) => `${((100 * seconds) / wrk.seconds).toFixed(2)} %`;
  row(
    (wrk.requests / wrk.seconds).toFixed(0),
    share(after.node - before.node),
    share(after.bpftrace - before.bpftrace),
    `${((await own('resident_memory_bytes')) / 2 ** 20).toFixed(0)} MB`,
    `${(await residentMegabytes(bpftracePid)).toFixed(0)} MB`,
  );
  print('\n### Kernel time of the probes meanwhile, on all of the node, from samples\n');
  head('probe', 'of one core');
  for (const [probe, seconds] of after.byProbe)
    row(`\`${probe}\``, share(seconds - (before.byProbe.get(probe) ?? 0)));
  print();
}

const kernelSeconds = (metrics: string): ReadonlyMap<string, number> =>
  new Map(
    [...metrics.matchAll(/^plumbline_probe_kernel_seconds_total\{.*probe="(\w+)".*\} (\S+)$/gm)].map(
      ([, probe = '', value]) => [probe, Number(value)],
    ),
  );

async function soaking(world: World, minutes: number): Promise<void> {
  print(`### ${minutes} minutes of connections that come and go\n`);
  const columns = [
    'minute',
    'requests',
    'connections and threads known',
    'counts',
    'Node RSS',
    'bpftrace RSS',
  ];
  head(...columns, 'counted less served');
  note(`${minutes} minutes`);
  await soak(world, minutes, (one) => {
    const memory = [one.nodeMegabytes, one.bpftraceMegabytes].map((size) => `${size.toFixed(0)} MB`);
    row(one.minute, one.requests, one.remembered, one.counts, ...memory, one.off);
  });
  print();
}

/** What the client measured while `load` ran, and what Plumbline did. */
async function compare({ agent }: World, app: string, load: () => Promise<LoadResult>) {
  const before = await agent.series();
  const client = await load();
  await agent.settle();
  const found = versionRows(before, await agent.series()).find((one) => one.app === app);
  if (found === undefined) throw new Error(`Nothing was measured for ${app}`);
  return { client, row: found };
}

/** A server of its own on the last core; its connections are warm. */
async function withServer<Result>(
  kind: 'node' | 'nginx' | 'python',
  { tree, agent }: World,
  app: string,
  use: (url: string, app: string) => Promise<Result>,
): Promise<Result> {
  const placement = { tree, cgroup: `${app}-v1`, cpu: lastCore };
  const commands = {
    node: [process.execPath, serverScript('event-loop.js')],
    python: ['python3', serverScript('blocking.py')],
  };
  const server = kind === 'nginx' ? await startNginx(placement) : await startChild(commands[kind], placement);
  try {
    const port = 'port' in server ? server.port : Number(await server.firstLine());
    // The Python server writes head and body apart, and its client waits for both: an answer without a body is one write.
    const url = `http://127.0.0.1:${port}/${kind === 'python' ? 'status/204' : 'hello'}`;
    await pollAtRate(url, 1000, 2);
    await agent.settle();
    return await use(url, app);
  } finally {
    await server.stop();
  }
}

const sections: Readonly<Record<string, (world: World, options: Options) => Promise<void>>> = {
  exact: (world, { requests }) => exactness(world, Number(requests)),
  latency: (world, { seconds }) => latencies(world, Number(seconds)),
  neighbour: (world, { seconds }) => neighbour(world, Number(seconds)),
  target: costInTarget,
  probes: (world) => costOfProbes(world, 5),
  agent: costOfAgent,
  soak: (world, { minutes }) => soaking(world, Number(minutes)),
};

interface Options {
  readonly requests: string;
  readonly seconds: string;
  readonly minutes: string;
  readonly only: string;
}

await new Command('npm run bench --')
  .description(
    'Measures what the README promises. Takes about twenty minutes, ten of them the soak; other work on the machine blurs it.',
  )
  .option('--requests <n>', 'requests of the exactness run', '1000000')
  .option('--seconds <n>', 'length of each latency run', '10')
  .option('--minutes <n>', 'length of the soak', '10')
  .option('--only <sections>', 'some of them', Object.keys(sections).join(','))
  .addHelpText('after', '\nExample:\n  npm run bench -- --only target,agent\n')
  .action((options: Options, command: Command) => {
    const names = options.only.split(',');
    const unknown = names.find((name) => !(name in sections));
    if (unknown !== undefined)
      command.error(`--only: expected some of ${Object.keys(sections).join(',')}, got ${unknown}`);
    return withWorld(async (world) => {
      const { stdout: version } = await execa('bpftrace', ['--version']);
      print(
        `${cpus().length} × ${cpus()[0]?.model ?? '?'}, Linux ${release()}, ${version}, Node ${process.versions.node}\n`,
      );
      for (const name of names) await sections[name]?.(world, options);
    });
  })
  .parseAsync();
