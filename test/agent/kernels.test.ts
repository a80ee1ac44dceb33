// `npm run test:kernels` where something is missing: the cells that need it say so, the others go on, the status tells.
import { execa } from 'execa';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bpftraces, cells, kernels, type Cell } from '../kernels/cells.ts';
import { runGuest } from '../kernels/guest.ts';
import { cacheFolder } from '../kernels/packages.ts';
import { compatibilityTable } from '../kernels/page.ts';
import type { CellOutcome } from '../kernels/run-cell.ts';
import { describeKernel } from '../support/kernel.ts';

const main = new URL('../kernels/main.ts', import.meta.url).pathname;
/** Nobody listens there. */
const deadMirror = 'http://127.0.0.1:9/debian/';
const emulator = join(cacheFolder, 'trixie/qemu-system-x86');

describeKernel('the matrix of kernels', () => {
  let cache: string;

  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'plumbline-test-'));
  });
  afterEach(async () => {
    await rm(cache, { recursive: true });
  });

  const run = (...args: readonly string[]) =>
    execa(process.execPath, ['--import', 'tsx', main, ...args], {
      env: { XDG_CACHE_HOME: cache },
      reject: false,
    });

  test('a download that fails is named by each cell that needs it, and all of them are tried', async () => {
    const { stdout, exitCode } = await run('--mirror', deadMirror, '--kernel', '6.12', '--scenario', 'full');
    expect(exitCode).toBe(1);
    for (const { version } of bpftraces)
      expect(stdout).toMatch(
        new RegExp(`FAILED Linux 6\\.12, bpftrace ${version}: .*\n +download from \\w+ failed: E: `),
      );
  });

  test('a cell that there is not is no cell: exit status 2', async () => {
    const { stderr, exitCode } = await run('--kernel', '6.12', '--scenario', 'cgroup-v1');
    expect(stderr).toContain('no cell is all of these');
    expect(exitCode).toBe(2);
  });

  const boot = async (folder: string) => {
    const kernel = join(cache, 'vmlinuz');
    await writeFile(kernel, 'no kernel');
    return runGuest({
      emulator: folder,
      kernel,
      archives: [kernel],
      scenario: 'full',
      timeoutSeconds: 10,
      signal: new AbortController().signal,
      logFolder: join(cache, 'log'),
      onMessage: () => undefined,
    });
  };

  test('an emulator that is not where it should be is named', async () => {
    const folder = join(cache, 'qemu');
    await mkdir(folder);
    await expect(boot(folder)).rejects.toThrow(`no dynamic loader in ${folder}`);
  });

  test.skipIf(!existsSync(emulator))('an image that does not boot is told from tests that fail', async () => {
    await expect(boot(emulator)).rejects.toThrow('the kernel did not boot to its tests: ');
  });
});

test('the table says of a cell what became of it, and of one that was not run just that', () => {
  const [cell] = cells;
  if (cell === undefined) throw new Error('there are no cells');
  const versions = { kernel: '5.10.223-1', bpftrace: '0.17.0-1' };
  const messages = [
    { kind: 'probes', modes: { http: 'full', http2: 'none' }, atSeconds: 1 },
    { kind: 'counts', sent: 205, counted: 204, skippedRuns: 2, atSeconds: 2 },
  ] as const;
  const good: CellOutcome = {
    ...{ name: '', ok: true, seconds: 20, failures: [], messages },
    ...{ cell, versions, day: '2026-11-21' },
  };
  const table = compatibilityTable(cells, [good]);
  expect(table).toContain('| Linux | bpftrace 0.17 (0.17.0-1) | bpftrace 0.23 | bpftrace sid |');
  expect(table).toContain(
    '| 5.10 (5.10.223-1) | http2 left out; 204 of 205 (2 runs skipped); 2026-11-21 | not run |',
  );
  expect(table.match(/not run/g)).toHaveLength(kernels.length * bpftraces.length + bpftraces.length);
  const bad = { ...good, ok: false, failures: ['it took longer than 9 s', 'and more'] };
  expect(compatibilityTable(cells, [bad])).toContain('| **FAILED** 2026-11-21: it took longer than 9 s |');
  const withoutParts = { ...bad, versions: undefined };
  expect(compatibilityTable(cells, [withoutParts])).toBe(compatibilityTable(cells, []));
});

test('a cell that is not run keeps what the page says of it, as long as the versions are the same', () => {
  const [first, second] = cells;
  if (first === undefined || second === undefined) throw new Error('there are too few cells');
  const outcomeOf = (cell: Cell, kernel: string): CellOutcome => ({
    ...{ name: '', ok: true, seconds: 20, failures: [], messages: [] },
    ...{ cell, versions: { kernel, bpftrace: `of ${cell.bpftrace.version}` }, day: '2026-11-21' },
  });
  const page = compatibilityTable(cells, [outcomeOf(first, '5.10.223-1')]);
  expect(compatibilityTable(cells, [], page)).toBe(page);
  const text = 'no word of probes; 2026-11-21';
  expect(compatibilityTable(cells, [outcomeOf(second, '5.10.223-1')], page)).toContain(
    `| 5.10 (5.10.223-1) | ${text} | ${text} | not run |`,
  );
  expect(compatibilityTable(cells, [outcomeOf(second, '5.10.240-1')], page)).toContain(
    `| 5.10 (5.10.240-1) | not run | ${text} | not run |`,
  );
});
