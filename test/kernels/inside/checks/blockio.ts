// bpf/blockio.bt: reads and writes of a loop device, against dd's own count.
import { execa } from 'execa';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Check } from '../check.ts';

const reads = 50;
const writes = 30;
/** On a machine with udev, that looks at a new disk too, and its requests merge with ours. */
const udevMs = 500;

export const check: Check = async ({ agent, start, expect, expectCount }) => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-disk-'));
  const file = join(folder, 'disk');
  await execa('dd', ['if=/dev/zero', `of=${file}`, 'bs=1M', 'count=1']);
  const device = (await execa('losetup', ['-f'])).stdout.trim();
  await execa('losetup', [device, file]);
  await sleep(udevMs);
  const work = `dd if=${device} of=/dev/null bs=4k count=${reads} iflag=direct
    dd if=/dev/zero of=${device} bs=4k count=${writes} oflag=direct
    echo done; exec sleep 1000`;
  const store = await start(['sh', '-ec', work], 'store');
  try {
    await store.firstLine();
    await agent.settle();
    const all = (await agent.series()).histograms.plumbline_block_io_seconds ?? [];
    for (const [operation, expected] of [
      ['read', reads],
      ['write', writes],
    ] as const) {
      const own = all.find(({ labels }) => labels.app === 'store' && labels.operation === operation);
      const counted = own?.counts.reduce((total, count) => total + count, 0) ?? 0;
      await expectCount(`every ${operation} of a disk counts`, expected, counted);
      const seconds = (own?.sumSeconds ?? 0) / counted;
      expect(`a ${operation} takes time, and not long`, seconds > 0 && seconds < 1, seconds);
    }
  } finally {
    await store.stop();
    await execa('losetup', ['-d', device]);
    await rm(folder, { recursive: true });
  }
};
