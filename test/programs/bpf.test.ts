// The probes' text as people run it, and its arithmetic against ours.
import { expect, test } from 'vitest';
import { execa } from 'execa';
import { readFile } from 'node:fs/promises';
import { clockFragment } from '../../agent/src/bpftrace/clock.ts';
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

  test('an arrival that a delayed ACK has moved is put right, however long the agent has been running', async () => {
    const fragment = await readFile(new URL('../../bpf/fragments/delayed_ack.bt', import.meta.url), 'utf8');
    // HZ=1000, on a node that was booted an hour ago: the kernel's jiffies begin five minutes before they wrap.
    const [jiffyNs, clockNs, clockJiffies] = [1e6, 3_600e9, 2 ** 32 + 3_300_000];
    const wrapNs = 2 ** 32 * jiffyNs;
    const agesNs = [-60e9, 86_400e9, wrapNs - 20e6, wrapNs, wrapNs + 20e6, 5 * wrapNs + 3_600e9];
    const cases = agesNs.flatMap((ageNs) => [0, 5e6, 50e6, 200e6, 300e6].map((lagNs) => ({ ageNs, lagNs })));
    const clock = clockFragment({ ns: clockNs, jiffies: clockJiffies, jiffyNs }, 0);
    const program = `BEGIN {\n${clock}${cases
      .map(({ ageNs, lagNs }, index) => {
        const received = (clockJiffies + ageNs / jiffyNs) % 2 ** 32;
        return `$arrival = (uint64)${clockNs + ageNs + lagNs};\n$received = (uint64)${received};
${fragment}\n@arrival[(uint64)${index}] = $arrival;`;
      })
      .join('\n')}\nexit(); }`;
    const { stdout } = await withFile(program, (file) => bpftrace(file));
    const line = stdout.split('\n').find((one) => one.includes('@arrival')) ?? '';
    const { data } = JSON.parse(line) as { data: Record<string, Record<string, number>> };
    const lags = cases.map(({ ageNs }, index) => Number(data['@arrival']?.[String(index)]) - clockNs - ageNs);
    // Put right, it is in the middle of its jiffy.
    expect(lags).toEqual(cases.map(({ lagNs }) => (lagNs === 50e6 || lagNs === 200e6 ? jiffyNs / 2 : lagNs)));
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
