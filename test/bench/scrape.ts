// In: numbers of pods, of five versions each: 10, 100 and 250 by default. Out: what the agent takes beside them, and how long a scrape lasts.
import { get } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { startChild } from '../../demo/child.ts';
import { startAgent, type RunningAgent } from '../support/agent.ts';
import { get as request, openConnection } from '../support/client.ts';
import { bpftracesOf, listenerOf } from '../support/processes.ts';
import { serverScript } from '../support/servers.ts';
import { cpuSeconds, residentMegabytes } from './cost.ts';
import { head, note, row } from './table.ts';

const given = process.argv.slice(2).map(Number);
const sizes = given.length > 0 ? given : [10, 100, 250];
const versions = 5;
const statuses = [200, 301, 404, 500];
const scrapes = 20;
const protobuf = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';

/** One server, which goes from version to version and answers a request of each status in each; until told to stop. */
const startLoad = async (tree: CgroupTree, pods: number) => {
  const cgroups = Array.from(
    { length: pods * versions },
    (_, i) => `pod${i % pods}-v${Math.floor(i / pods)}`,
  );
  const server = await startChild([process.execPath, serverScript('event-loop.js')], {
    tree,
    cgroup: cgroups[0] ?? '',
  });
  const connection = await openConnection(Number(await server.firstLine()));
  let [asked, isOver] = [0, false];
  const round = async (): Promise<void> => {
    for (const cgroup of cgroups) {
      if (isOver) return;
      await tree.place(cgroup, server.pid);
      for (const status of statuses) {
        connection.send(request(`/status/${status}`));
        await connection.responses(++asked);
      }
    }
  };
  note(`${cgroups.length} versions answer for the first time`);
  await round();
  const going = (async () => {
    while (!isOver) await round();
  })();
  return {
    asked: () => asked,
    stop: async () => {
      isOver = true;
      await going;
      connection.socket.destroy();
      await server.stop();
    },
  };
};

interface Scrape {
  readonly ms: number;
  readonly bytes: number;
}

const scrape = (url: string, headers: Readonly<Record<string, string>>): Promise<Scrape> =>
  new Promise((resolve, reject) => {
    const startMs = performance.now();
    get(`${url}/metrics`, { headers }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('end', () => {
        resolve({ ms: performance.now() - startMs, bytes });
      });
    }).on('error', reject);
  });

/** Longest wait for an answer to a question that costs nothing, while `use` runs: for so long its event loop was held. */
const longestWait = async (url: string, use: () => Promise<void>): Promise<number> => {
  let [longest, isOver] = [0, false];
  const asking = (async () => {
    while (!isOver) {
      const startMs = performance.now();
      await (await fetch(`${url}/healthz`)).text();
      longest = Math.max(longest, performance.now() - startMs);
      await sleep(2);
    }
  })();
  await use();
  isOver = true;
  await asking;
  return longest;
};

/** `median (longest) ms, MB` of several scrapes; and for how long the event loop was held meanwhile. */
const describeScrapes = async (
  { url }: RunningAgent,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly text: string; readonly heldMs: number }> => {
  const done: Scrape[] = [];
  const heldMs = await longestWait(url, async () => {
    for (let index = 0; index < scrapes; index++) {
      done.push(await scrape(url, headers));
      await sleep(100);
    }
  });
  const sorted = done.map(({ ms }) => ms).sort((a, b) => a - b);
  const [median = NaN, longest = NaN] = [sorted[Math.floor(scrapes / 2)], sorted.at(-1)];
  const megabytes = (done.at(-1)?.bytes ?? NaN) / 1e6;
  return { text: `${median.toFixed(0)} (${longest.toFixed(0)}), ${megabytes.toFixed(2)}`, heldMs };
};

/** Of one core: the agent's two processes together, and its bpftrace, whose ids are given in this order. */
const cpuPercent = async (pids: readonly number[], lengthMs: number): Promise<readonly [number, number]> => {
  const read = () => Promise.all(pids.map(cpuSeconds));
  const [startMs, before] = [performance.now(), await read()];
  await sleep(lengthMs);
  const [after, ms] = [await read(), performance.now() - startMs];
  const [supervisor = NaN, listener = NaN, bpftrace = NaN] = after.map(
    (seconds, i) => ((seconds - (before[i] ?? NaN)) / ms) * 1e5,
  );
  return [supervisor + listener, bpftrace];
};

const measurePods = async (pods: number): Promise<void> => {
  const tree = await createCgroupTree('plumbline-bench-scrape');
  const agent = await startAgent(
    `budget: { cpuPercent: 10000 }
workloads: { docker: { enabled: false }, static: [{ cgroup: "${tree.path}/*-*", app: $1, version: $2 }] }`,
    { intervalMs: 1000, probes: 'all' },
  );
  try {
    const load = await startLoad(tree, pods);
    await agent.settle();
    note('twenty seconds without a scrape');
    const [startMs, askedBefore] = [performance.now(), load.asked()];
    const pids = [agent.pid, await listenerOf(agent.pid), (await bpftracesOf(agent.pid))[0] ?? NaN];
    const [node, bpftrace] = await cpuPercent(pids, 20_000);
    const rate = ((load.asked() - askedBefore) * 1000) / (performance.now() - startMs);
    const memory = (await Promise.all(pids.map(residentMegabytes))).map((size) => size.toFixed(0));
    note('scrapes');
    const text = await describeScrapes(agent, {});
    const compressed = await describeScrapes(agent, { 'accept-encoding': 'gzip' });
    const binary = await describeScrapes(agent, { accept: protobuf, 'accept-encoding': 'gzip' });
    const held = [text, compressed, binary].map(({ heldMs }) => heldMs.toFixed(0)).join(', ');
    const cost = [rate.toFixed(0), node.toFixed(1), bpftrace.toFixed(1), memory.join(', ')];
    row(pods, ...cost, text.text, compressed.text, binary.text, held);
    await load.stop();
  } finally {
    await agent.stop();
    await tree.remove();
  }
};

head(
  'pods of five versions',
  'req/s',
  'Node, % of a core',
  'bpftrace, %',
  'supervisor, listener, bpftrace, MB',
  'scrape as text: median (longest) ms, MB',
  'the same, gzip',
  'protobuf, gzip',
  'event loop held in each, ms at most',
);
for (const pods of sizes) await measurePods(pods);
