// In: an agent, its bpftrace and a server. Out: what grows while connections come and go, minute by minute.
import { execa } from 'execa';
import { readdir, readFile } from 'node:fs/promises';
import { valueOf, type RunningAgent } from '../support/agent.ts';
import type { Nginx } from '../support/nginx.ts';
import { requestCount } from '../support/series.ts';
import { residentMegabytes } from './cost.ts';
import { wrkAtRate } from './wrk.ts';

export interface Minute {
  readonly minute: number;
  readonly requests: number;
  /** Entries of the scratch maps: what the probes remember of connections, requests and threads. */
  readonly remembered: number;
  /** Entries of the maps that are read: cgroups, buckets. */
  readonly counts: number;
  readonly nodeMegabytes: number;
  readonly bpftraceMegabytes: number;
  /** Requests that were counted, less those that nginx says it has served, since the start. */
  readonly off: number;
}

interface Soaked {
  readonly nginx: Nginx;
  readonly agent: RunningAgent;
  readonly bpftracePid: number;
}

/** Half a minute of connections that stay, half a minute of one for each request, again and again. */
export const soak = async (
  { nginx, agent, bpftracePid }: Soaked,
  minutes: number,
  onMinute: (minute: Minute) => void,
): Promise<void> => {
  const url = `http://127.0.0.1:${nginx.port}/hello`;
  const counted = async () => requestCount(await agent.series(), 'nginx');
  await agent.settle();
  const countedBefore = await counted();
  const servedBefore = await nginx.served();
  for (let minute = 1; minute <= minutes; minute++) {
    const staying = await wrkAtRate(url, 1000, 30);
    const passing = await wrkAtRate(url, 500, 30, { connection: 'close' });
    const served = (await nginx.served()) - servedBefore;
    await agent.settle();
    onMinute({
      minute,
      requests: staying.requests + passing.requests,
      remembered: await scratchEntries(bpftracePid),
      counts: sumOf(await agent.metrics(), 'plumbline_probe_map_entries'),
      nodeMegabytes: valueOf(await agent.metrics(), 'plumbline_agent_resident_memory_bytes') / 2 ** 20,
      bpftraceMegabytes: await residentMegabytes(bpftracePid),
      // Asking nginx the first time was a request, too.
      off: (await counted()) - countedBefore - served - 1,
    });
  }
};

const sumOf = (metrics: string, name: string): number =>
  [...metrics.matchAll(new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'gm'))].reduce(
    (total, [, value]) => total + Number(value),
    0,
  );

/** BPF_MAP_TYPE_HASH of include/uapi/linux/bpf.h; those that count are by CPU. */
const hashType = '1';

const scratchEntries = async (pid: number): Promise<number> => {
  const folder = `/proc/${pid}/fdinfo`;
  const ids = new Set<string>();
  for (const name of await readdir(folder)) {
    const text = await readFile(`${folder}/${name}`, 'utf8').catch(() => '');
    const field = (key: string) => new RegExp(`^${key}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? '';
    if (field('map_type') === hashType) ids.add(field('map_id'));
  }
  let entries = 0;
  for (const id of ids) {
    const { stdout } = await execa('bpftool', ['map', 'dump', 'id', id, '-j'], { maxBuffer: 1e9 });
    entries += (JSON.parse(stdout) as readonly unknown[]).length;
  }
  return entries;
};
