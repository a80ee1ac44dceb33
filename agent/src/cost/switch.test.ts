import { expect, test } from 'vitest';
import { execa } from 'execa';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withBpfStats } from './switch.ts';

/** A file in the place of the machine's switch. */
const withSwitch = async (position: string, use: (file: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-switch-'));
  const file = join(folder, 'switch');
  await writeFile(file, `${position}\n`);
  try {
    await use(file);
  } finally {
    await rm(folder, { recursive: true });
  }
};
const position = async (file: string) => (await readFile(file, 'utf8')).trim();

test('it is on while something is measured, and off again afterwards', async () => {
  await withSwitch('0', async (file) => {
    expect(await withBpfStats(() => position(file), file)).toBe('1');
    expect(await position(file)).toBe('0');
  });
});

test('what somebody else turned on stays on', async () => {
  await withSwitch('1', async (file) => {
    expect(await withBpfStats(() => position(file), file)).toBe('1');
    expect(await position(file)).toBe('1');
  });
});

test('turned off by somebody else meanwhile: nothing was measured', async () => {
  await withSwitch('0', async (file) => {
    expect(await withBpfStats(() => writeFile(file, '0'), file)).toBeUndefined();
  });
});

test('where there is no such switch, nothing is measured', async () => {
  expect(await withBpfStats(() => Promise.resolve(1), '/nowhere/switch')).toBeUndefined();
});

test('when measuring fails, it is turned off', async () => {
  await withSwitch('0', async (file) => {
    await expect(withBpfStats(() => Promise.reject(new Error('no')), file)).rejects.toThrow('no');
    expect(await position(file)).toBe('0');
  });
});

test('when the agent is killed meanwhile, it is turned off', async () => {
  await withSwitch('0', async (file) => {
    const module = JSON.stringify(new URL('./switch.ts', import.meta.url).href);
    const script = `import { withBpfStats } from ${module};
      await withBpfStats(async () => { console.log('measuring'); await new Promise((r) => setTimeout(r, 60_000)); }, ${JSON.stringify(file)});`;
    const killed = execa(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      reject: false,
    });
    await new Promise((resolve) => killed.stdout.once('data', resolve));
    expect(await position(file)).toBe('1');
    killed.kill('SIGKILL');
    await killed;
    for (let waitedMs = 0; waitedMs < 5000 && (await position(file)) === '1'; waitedMs += 20) await sleep(20);
    expect(await position(file)).toBe('0');
  });
});
