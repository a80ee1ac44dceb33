// In: bpftrace, the agent and Prometheus, killed in turn under load. Out: how long each takes to be back, and that nothing
// that was exposed is lost.
import { execa } from 'execa';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCgroupTree } from '../../demo/cgroup.ts';
import { startChild } from '../../demo/child.ts';
import { plumbline } from '../support/agent.ts';
import { freePort, startNginx } from '../support/nginx.ts';
import { bpftracesOf, listenerOf } from '../support/processes.ts';
import { head, row } from './table.ts';

/** What is watched after each recovery, in milliseconds. */
const aftermathMs = 5000;
const metric = 'plumbline_http_request_duration_seconds_count{app="nginx"}';

/** A command that is started again whenever it ends, as a kubelet does, until told to stop. */
const keepRunning = (command: string, args: readonly string[]) => {
  let child: ReturnType<typeof start> | undefined;
  let isWanted = true;
  const start = () => execa(command, args, { reject: false, stdio: 'ignore', forceKillAfterDelay: 10_000 });
  const run = async () => {
    while (isWanted) {
      child = start();
      await child;
      await sleep(100);
    }
  };
  const running = run();
  return {
    pid: () => child?.pid ?? 0,
    stop: async () => {
      isWanted = false;
      child?.kill();
      await running;
    },
  };
};

const answers = async (url: string): Promise<boolean> =>
  (await fetch(url, { signal: AbortSignal.timeout(1000) }).catch(() => undefined))?.ok ?? false;

/** Seconds until the URL answers again, once it has ceased to. */
const recovery = async (url: string): Promise<string> => {
  const startMs = performance.now();
  const waitFor = async (wanted: boolean) => {
    while ((await answers(url)) !== wanted && performance.now() - startMs < 60_000) await sleep(50);
  };
  await waitFor(false);
  await waitFor(true);
  return `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
};

const folder = await mkdtemp(join(tmpdir(), 'plumbline-chaos-'));
const tree = await createCgroupTree('plumbline-chaos');
const nginx = await startNginx({ tree, cgroup: 'nginx-v1' });
const generator = [
  process.execPath,
  '--import',
  'tsx',
  new URL('../../demo/load.ts', import.meta.url).pathname,
];
const load = await startChild([...generator, '--rate', '1000', `127.0.0.1:${nginx.port}`], {
  tree,
  cgroup: 'load',
});
const [agentPort, prometheusPort] = [await freePort(), await freePort()];
await writeFile(
  join(folder, 'agent.yaml'),
  `listen: 127.0.0.1:${agentPort}
workloads: { docker: { enabled: false }, static: [{ cgroup: "${tree.path}/*-*", app: $1, version: $2 }] }`,
);
await writeFile(
  join(folder, 'prometheus.yml'),
  `global: { scrape_interval: 1s }
scrape_configs: [{ job_name: plumbline, static_configs: [{ targets: ["127.0.0.1:${agentPort}"] }] }]`,
);
const agentUrl = `http://127.0.0.1:${agentPort}`;
const prometheusUrl = `http://127.0.0.1:${prometheusPort}`;
const agent = keepRunning(process.execPath, [plumbline, 'agent', '--config', join(folder, 'agent.yaml')]);
const prometheus = keepRunning('prometheus', [
  ...[`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`],
  `--web.listen-address=127.0.0.1:${prometheusPort}`,
]);

/** What the agent exposes now: NaN while it does not answer. */
const exposed = async (): Promise<number> => {
  const text = await fetch(`${agentUrl}/metrics`, { signal: AbortSignal.timeout(1000) }).then(
    (response) => response.text(),
    () => '',
  );
  return Number(/^plumbline_http_request_duration_seconds_count\{.*app="nginx".*\} (\d+)$/m.exec(text)?.[1]);
};

/** All values that Prometheus has of the counter, in time order. */
const stored = async (): Promise<readonly number[]> => {
  const query = encodeURIComponent(`${metric}[1h]`);
  const answer = (await (await fetch(`${prometheusUrl}/api/v1/query?query=${query}`)).json()) as {
    data: { result: { values: [number, string][] }[] };
  };
  return answer.data.result.flatMap(({ values }) => values.map(([, value]) => Number(value)));
};

const victims: readonly {
  readonly name: string;
  readonly pid: () => number | Promise<number>;
  readonly back: string;
  /** Whether the agent's counters begin anew with it. */
  readonly isReset: boolean;
}[] = [
  {
    name: 'bpftrace',
    pid: async () => (await bpftracesOf(agent.pid()))[0] ?? NaN,
    back: `${agentUrl}/readyz`,
    isReset: false,
  },
  {
    name: 'the process that listens',
    pid: () => listenerOf(agent.pid()),
    back: `${agentUrl}/readyz`,
    isReset: true,
  },
  { name: 'the process that measures', pid: () => agent.pid(), back: `${agentUrl}/readyz`, isReset: true },
  { name: 'Prometheus', pid: () => prometheus.pid(), back: `${prometheusUrl}/-/ready`, isReset: false },
];

try {
  while (!(await answers(`${agentUrl}/readyz`)) || !(await answers(`${prometheusUrl}/-/ready`)))
    await sleep(100);
  head(
    'killed',
    'back after',
    'exposed before',
    'exposed after',
    'fell',
    'samples in Prometheus',
    'its resets',
  );
  let resets = 0;
  for (const { name, pid, back, isReset } of victims) {
    await sleep(aftermathMs);
    const [before, kept] = [await exposed(), await stored()];
    process.kill(await pid(), 'SIGKILL');
    const backAfter = await recovery(back);
    const endMs = performance.now() + aftermathMs;
    let last = isReset ? 0 : before;
    let falls = 0;
    while (performance.now() < endMs) {
      const now = await exposed();
      if (now < last) falls++;
      if (!Number.isNaN(now)) last = now;
      await sleep(200);
    }
    if (isReset) resets++;
    const values = await stored();
    const found = values.filter((value, index) => value < (values[index - 1] ?? 0)).length;
    row(name, backAfter, before, last, falls, values.length, `${found} of ${resets}`);
    const isKept = kept.every((value, index) => values[index] === value);
    if (falls > 0 || found !== resets || !isKept)
      throw new Error(`Something is lost of ${kept.join(' ')}: ${values.join(' ')}`);
  }
} finally {
  await load.stop();
  await prometheus.stop();
  await agent.stop();
  await nginx.stop();
  await tree.remove();
  await rm(folder, { recursive: true });
}
