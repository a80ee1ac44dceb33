// The probes' text as people run it, and its arithmetic against ours.
import { expect, test } from 'vitest';
import { execa } from 'execa';
import { readFile } from 'node:fs/promises';
import { nativeIndex, upperBoundSeconds } from '../../agent/src/series/native.ts';
import { plumbline, withFile } from '../support/agent.ts';
import { describeKernel } from '../support/kernel.ts';

const bpftrace = (file: string, signal?: AbortSignal) =>
  execa('bpftrace', ['-f', 'json', file], {
    reject: false,
    timeout: 50_000,
    ...(signal && { cancelSignal: signal }),
  });

describeKernel('bpf', () => {
  test('what `plumbline bpf http` prints runs by hand', async () => {
    const { stdout: program } = await execa(process.execPath, [plumbline, 'bpf', 'http']);
    await withFile(program, async (file) => {
      const stop = new AbortController();
      const child = bpftrace(file, stop.signal);
      // Until its first reading, however long the compiling takes beside other tests.
      child.stdout.on('data', (text: Buffer) => {
        if (text.includes('"@tick"')) stop.abort();
      });
      const { stdout, stderr } = await child;
      expect(stdout).toContain('"@tick"');
      expect(stderr.replace(/^.*RLIMIT_MEMLOCK.*$/m, '')).not.toMatch(/ERROR/);
    });
  });

  test('the bucket of a duration is the one whose bounds hold it', async () => {
    const fragment = await readFile(new URL('../../bpf/fragments/bucket.bt', import.meta.url), 'utf8');
    const durationsNs = [1, 2, 3, 999, 1000, 103_000, 999_999, 1_000_001, 15_000_000, 1e9, 5e9, 3.6e12, 1e13];
    // Also at the edges of an octave's eight buckets, a little to either side.
    for (let eighth = 0; eighth < 8; eighth++) {
      const edgeNs = 2 ** (eighth / 8 - 7) * 1e9;
      durationsNs.push(Math.floor(edgeNs * 0.999999), Math.ceil(edgeNs * 1.000001));
    }
    const program = `BEGIN {\n${durationsNs
      .map((ns) => `$ns = (uint64)${ns};\n${fragment}\n@bucket[(uint64)${ns}] = $bucket;`)
      .join('\n')}\nexit(); }`;
    const { stdout } = await withFile(program, (file) => bpftrace(file));
    const line = stdout.split('\n').find((one) => one.includes('@bucket')) ?? '';
    const { data } = JSON.parse(line) as { data: Record<string, Record<string, number>> };
    for (const ns of durationsNs) {
      const index = nativeIndex(data['@bucket']?.[String(ns)] ?? NaN);
      // The kernel's own unit is 2^-30 s, so that the shortest durations are a unit off.
      const toleranceSeconds = 2 ** -30 + ns * 1e-15;
      expect(ns * 1e-9, `${ns} ns`).toBeLessThanOrEqual(upperBoundSeconds(index) + toleranceSeconds);
      expect(ns * 1e-9, `${ns} ns`).toBeGreaterThanOrEqual(upperBoundSeconds(index - 1) - toleranceSeconds);
    }
  });
});
