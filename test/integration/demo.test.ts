// The demo as a user ends it: nothing of it stays. What its scenarios show is tested with the panel that shows it.
import { expect, test } from 'vitest';
import { execa } from 'execa';
import { readdir } from 'node:fs/promises';
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

describeKernel('demo', { timeout: 120_000 }, () => {
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
