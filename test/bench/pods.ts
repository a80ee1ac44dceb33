// In: a number of pods. Out: what the agent's memory does while as many come and go, 250 of them at a time.
import { readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cgroupRoot, createCgroupTree } from '../../demo/cgroup.ts';
import { startChild } from '../../demo/child.ts';
import { startAgent, valueOf, type RunningAgent } from '../support/agent.ts';
import { createCertificates } from '../support/certificates.ts';
import { createFakeKubernetes, type FakePod } from '../support/kubernetes.ts';
import { listenerOf } from '../support/processes.ts';
import { serverScript } from '../support/servers.ts';
import { head, row } from './table.ts';

const atATime = 250;
const aSecond = 10;
const requestsEach = 2;
const total = Number(process.argv[2] ?? 4000);

const uidOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const idOf = (number: number) => String(number).padStart(64, '0');
const cgroupOf = (number: number) => `kubepods/burstable/pod${uidOf(number)}/${idOf(number)}`;

/** As large as the API's own are: most of a pod is fields that nobody here reads. */
const podOf = (number: number): FakePod => ({
  metadata: {
    uid: uidOf(number),
    name: `app-${number % atATime}-${number}`,
    namespace: 'shop',
    ...{ labels: { 'app.kubernetes.io/name': `app-${number % atATime}`, 'app.kubernetes.io/version': 'v1' } },
    ...{ annotations: { managed: 'x'.repeat(6000) } },
  },
  spec: { nodeName: 'n1', ...{ containers: [{ name: 'app' }] } },
  status: {
    phase: 'Running',
    containerStatuses: [{ name: 'app', containerID: `containerd://${idOf(number)}` }],
  },
});

const report = async (agent: RunningAgent, pods: number, asked: number): Promise<void> => {
  await agent.settle();
  const [parent, listener] = await Promise.all([agent.pid, await listenerOf(agent.pid)].map(memoryOf));
  const metrics = await agent.metrics();
  const durations = (await agent.series()).histograms.plumbline_http_request_duration_seconds ?? [];
  const counted = durations
    .filter(({ labels }) => labels.app?.startsWith('app-'))
    .reduce((sum, { counts }) => sum + counts.reduce((total, count) => total + count, 0), 0);
  row(
    pods,
    asked,
    counted,
    valueOf(metrics, 'plumbline_agent_unknown_cgroups'),
    parent ?? '',
    listener ?? '',
  );
};

/** Resident, and of it what it shares with nobody or in part: megabytes. */
const memoryOf = async (pid: number): Promise<string> => {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const megabytes = (name: string) =>
    (Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]) / 1024).toFixed(0);
  return `${megabytes('Rss')} (${megabytes('Pss')})`;
};

const tree = await createCgroupTree('plumbline-bench-pods');
const api = await createFakeKubernetes(await createCertificates());
const source = `enabled: true, server: "${api.server}", tokenFile: ${api.tokenFile}, caFile: ${api.caFile}`;
// An hour's pods in seven minutes: what the agent keeps for a while, it keeps for a ninth of it.
const kept = 'series: { retention: 67s }\nhistory: { length: 100s }';
const config = `node: n1\n${kept}\nworkloads: { docker: { enabled: false }, kubernetes: { ${source} } }`;
const agent = await startAgent(config, { intervalMs: 1000, probes: 'all' });
const server = await startChild([process.execPath, serverScript('event-loop.js')], {
  tree,
  cgroup: 'before',
});
const folder = join(await cgroupRoot(), tree.path);
try {
  const port = Number(await server.firstLine());
  head(
    'pods so far',
    'requests',
    'counted by app',
    'unknown cgroups',
    'supervisor, MB (PSS)',
    'listener, MB (PSS)',
  );
  const startMs = performance.now();
  for (let number = 1; number <= total; number++) {
    api.apply(podOf(number));
    await tree.place(cgroupOf(number), server.pid);
    for (let index = 0; index < requestsEach; index++)
      await (await fetch(`http://127.0.0.1:${port}/hello`, { headers: { connection: 'close' } })).text();
    const gone = number - atATime;
    if (gone > 0) {
      api.remove(uidOf(gone));
      await rmdir(join(folder, cgroupOf(gone)));
      await rmdir(join(folder, cgroupOf(gone), '..'));
    }
    if (number === atATime || number % 1000 === 0 || number === total)
      await report(agent, number, number * requestsEach);
    await sleep(Math.max(0, startMs + (number * 1000) / aSecond - performance.now()));
  }
} finally {
  await server.stop();
  await agent.stop();
  await api.dispose();
  await tree.remove();
}
