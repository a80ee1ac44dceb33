// The demo as a user runs it: what its summary says, and that nothing of it stays.
import { expect, test } from 'vitest';
import { execa } from 'execa';
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VersionRow } from '../../agent/src/cli/versions.ts';
import { cgroupRoot } from '../../demo/cgroup.ts';
import { describeKernel } from '../support/kernel.ts';

const main = new URL('../../demo/main.ts', import.meta.url).pathname;
const runDemo = (...args: readonly string[]) =>
  execa(process.execPath, ['--import', 'tsx', main, '--listen', '127.0.0.1:0', ...args], { reject: false });
const leftovers = async () =>
  (await readdir(await cgroupRoot())).filter((name) => name.startsWith('plumbline-demo-'));

describeKernel('demo', () => {
  const summaryOf = async (scenario: string) => {
    const { stdout, exitCode, stderr } = await runDemo('--scenario', scenario, '--seconds', '12', '--json');
    expect(exitCode, stderr).toBe(0);
    const { versions } = JSON.parse(stdout.split('\n').at(-1) ?? '') as { versions: VersionRow[] };
    expect(versions.map(({ version }) => version)).toEqual(['v1', 'v2']);
    const [v1, v2] = versions;
    if (v1 === undefined || v2 === undefined) throw new Error('Expected two versions');
    expect(v1.requests).toBeGreaterThan(300);
    expect(v2.requests).toBeGreaterThan(300);
    return { v1, v2 };
  };

  test('regression: the net duration of v2 is longer, since it is the code', async () => {
    const { v1, v2 } = await summaryOf('regression');
    expect(v2.netP50Seconds).toBeGreaterThan(1.3 * v1.netP50Seconds);
  });

  test('noisy neighbour: v2 waits for its CPU, and its net duration does not show it', async () => {
    const { v2 } = await summaryOf('noisy-neighbour');
    expect(v2.schedDelayShare).toBeGreaterThan(0.5);
    expect(v2.netP99Seconds).toBeLessThan(0.5 * v2.p99Seconds);
    expect(await leftovers()).toEqual([]);
  });

  test('Ctrl-C ends it with its summary, and leaves no process and no cgroup', async () => {
    const demo = runDemo('--seconds', '60', '--json');
    await sleep(8000);
    expect(await leftovers()).toHaveLength(1);
    demo.kill('SIGINT');
    const { exitCode, stdout, stderr } = await demo;
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('"scenario":"noisy-neighbour"');
    expect(await leftovers()).toEqual([]);
  });
});
