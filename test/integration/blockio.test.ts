// Requests to a disk (a loop device), against dd's own count and the kernel's books of the device.
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { startChild } from '../../demo/child.ts';
import { plumbline, startAgent, withFile, type RunningAgent } from '../support/agent.ts';
import { describeKernel } from '../support/kernel.ts';
import { versionsIn } from '../support/servers.ts';

describeKernel('blockio', () => {
  let folder: string;
  let device: string;
  let tree: CgroupTree;
  let agent: RunningAgent;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plumbline-test-'));
    const file = join(folder, 'disk');
    await execa('dd', ['if=/dev/zero', `of=${file}`, 'bs=1M', 'count=16']);
    device = (await execa('losetup', ['--find', '--show', file])).stdout;
    tree = await createCgroupTree('plumbline-test-blockio');
    agent = await startAgent(versionsIn(tree), { probes: ['blockio'] });
  });

  afterAll(async () => {
    await agent.stop();
    await execa('losetup', ['--detach', device]);
    await rm(folder, { recursive: true });
    await tree.remove();
  });

  /** Requests and seconds by operation of an app. */
  const counted = async (app: string): Promise<Record<string, { requests: number; sumSeconds: number }>> => {
    const all = (await agent.settledSeries()).histograms.plumbline_block_io_seconds ?? [];
    return Object.fromEntries(
      all
        .filter(({ labels }) => labels.app === app)
        .map(({ labels, counts, sumSeconds }) => [
          labels.operation ?? '',
          { requests: counts.reduce((total, count) => total + count, 0), sumSeconds },
        ]),
    );
  };
  /** Documentation/block/stat.rst: fields 4 and 8 are milliseconds of reads and writes. */
  const booked = async () => {
    const fields = (await readFile(`/sys/block/${basename(device)}/stat`, 'utf8'))
      .trim()
      .split(/ +/)
      .map(Number);
    return { readSeconds: (fields[3] ?? NaN) / 1000, writeSeconds: (fields[7] ?? NaN) / 1000 };
  };

  test('every read and write counts once, for who asked, and takes as long as the kernel says', async () => {
    const before = await booked();
    const dd = (input: string, output: string) => `dd if=${input} of=${output} status=none`;
    const work = `${dd(device, '/dev/null')} bs=4k count=500 iflag=direct
${dd('/dev/zero', device)} bs=8k count=100 oflag=direct
echo done; exec sleep 1000`;
    const child = await startChild(['sh', '-c', work], { tree, cgroup: 'store-v1' });
    try {
      await child.firstLine();
      const after = await booked();
      const { read, write } = await counted('store');
      expect([read?.requests, write?.requests]).toEqual([500, 100]);
      // The kernel rounds; its clock starts when a request is made, ours when the device gets it. What a loop device
      // gets goes through a thread that has to be woken in between.
      const expectNear = (ours: number | undefined, seconds: number) => {
        expect(ours).toBeLessThan(1.1 * seconds + 0.002);
        expect(ours).toBeGreaterThan(0.4 * seconds - 0.002);
      };
      expectNear(read?.sumSeconds, after.readSeconds - before.readSeconds);
      expectNear(write?.sumSeconds, after.writeSeconds - before.writeSeconds);
    } finally {
      await child.stop();
    }
  });

  test('a map that is full of requests whose end was not seen is emptied, and what comes then counts', async () => {
    const { stdout: program } = await execa(process.execPath, [plumbline, 'bpf', 'blockio']);
    const forgetting = /delete\(@blockio_request\[\$device, \$sector\]\);(?=\s*\$ns)/;
    expect(program).toMatch(forgetting);
    const entries = 700;
    const counts = await withFile(program.replace(forgetting, ''), async (file) => {
      const stop = new AbortController();
      const env = { BPFTRACE_MAP_KEYS_MAX: String(entries), BPFTRACE_MAX_MAP_KEYS: String(entries) };
      const child = execa('bpftrace', ['-f', 'json', file], {
        reject: false,
        cancelSignal: stop.signal,
        forceKillAfterDelay: 10_000,
        env,
      });
      let latest: Record<string, number> = {};
      let ticks = 0;
      const lines = createInterface({ input: child.stdout });
      for await (const text of lines) {
        if (!text.startsWith('{"type": "map"')) continue;
        const { data } = JSON.parse(text) as { data: Record<string, Record<string, number>> };
        latest = data['@blockio_requests'] ?? latest;
        if (data['@tick'] === undefined) continue;
        const skip = 1000 * ticks++;
        const blocks = ['bs=4k', 'count=1000', `skip=${skip}`];
        if (ticks <= 3) await execa('dd', [`if=${device}`, 'of=/dev/null', 'iflag=direct', ...blocks]);
        if (ticks === 6) stop.abort();
      }
      await child;
      return latest;
    });
    const counted = Object.values(counts).reduce((total, count) => total + count, 0);
    expect(counted).toBeGreaterThan(2 * entries);
  });
});
