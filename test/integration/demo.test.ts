// The demo as a user runs it: what its summary says, and that nothing of it stays.
import { expect, test } from 'vitest';
import type { Verdict } from '@plumbline/verdict';
import { execa } from 'execa';
import { readdir } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import type { VersionRow } from '../../agent/src/cli/versions.ts';
import { cgroupRoot } from '../../demo/cgroup.ts';
import { describeKernel } from '../support/kernel.ts';

const main = new URL('../../demo/main.ts', import.meta.url).pathname;
const runDemo = (...args: readonly string[]) =>
  execa(process.execPath, ['--import', 'tsx', main, '--listen', '127.0.0.1:0', ...args], { reject: false });
/** Resolves when a demo says so on stderr. */
const said = ({ stderr }: ReturnType<typeof runDemo>, words: string) =>
  new Promise<void>((resolve) => {
    let text = '';
    stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes(words)) resolve();
    });
  });
const leftovers = async () =>
  (await readdir(await cgroupRoot())).filter((name) => name.startsWith('plumbline-demo-'));

/** Whether others want so much of this machine that nobody can say what half a minute of it will show. */
const isBusy = () => (loadavg()[0] ?? 0) > 2 * availableParallelism();

describeKernel('demo', { timeout: 120_000 }, () => {
  const summaryOf = async (scenario: string) => {
    const { stdout, exitCode, stderr } = await runDemo('--scenario', scenario, '--json');
    expect(exitCode, stderr).toBe(0);
    const { versions, verdict } = JSON.parse(stdout.split('\n').at(-1) ?? '') as {
      versions: VersionRow[];
      verdict: Verdict;
    };
    expect(versions.map(({ version }) => version)).toEqual(['v1', 'v2']);
    const [v1, v2] = versions;
    if (v1 === undefined || v2 === undefined) throw new Error('Expected two versions');
    expect(v1.requests).toBeGreaterThan(1000);
    expect(v2.requests).toBeGreaterThan(1000);
    expect(verdict).toMatchObject({
      app: 'checkout',
      canary: 'v2',
      baseline: 'v1',
      grade: { name: 'matched' },
    });
    return { v1, v2, verdict };
  };

  test('healthy: v2 passes', async () => {
    const { verdict } = await summaryOf('healthy');
    expect(verdict.verdict).not.toBe('fail');
    // A neighbour may really be there: then it is skewed, and the code passes all the same.
    if (!isBusy()) expect(verdict.code).toBe('pass');
  });

  test('regression: the net duration of v2 is longer, since it is the code, and v2 fails', async () => {
    const { v1, v2, verdict } = await summaryOf('regression');
    expect(v2.netP50Seconds).toBeGreaterThan(1.3 * v1.netP50Seconds);
    expect(verdict).toMatchObject({ verdict: 'fail', code: 'fail' });
    expect(verdict.reasons).toContain('LATENCY_WORSE');
  });

  test('noisy neighbour: v2 waits for its CPU, its net duration does not show it, and its code passes', async () => {
    const { v2, verdict } = await summaryOf('noisy-neighbour');
    expect(v2.schedDelayShare).toBeGreaterThan(0.5);
    expect(v2.netP99Seconds).toBeLessThan(0.5 * v2.p99Seconds);
    expect(verdict.verdict).not.toBe('fail');
    if (!isBusy()) {
      expect(verdict).toMatchObject({ verdict: 'skewed', code: 'pass' });
      expect(verdict.reasons).toContain('NODE_CONTENTION');
      expect(verdict.contention.explained).toBeGreaterThan(0.5);
    }
    expect(await leftovers()).toEqual([]);
  });

  test('Ctrl-C ends it with its summary, and leaves no process and no cgroup', async () => {
    const demo = runDemo('--seconds', '60', '--json');
    await said(demo, 'Metrics: ');
    expect(await leftovers()).toHaveLength(1);
    demo.kill('SIGINT');
    const { exitCode, stdout, stderr } = await demo;
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('"scenario":"noisy-neighbour"');
    expect(await leftovers()).toEqual([]);
  });
});
