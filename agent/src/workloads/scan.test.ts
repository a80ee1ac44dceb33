import { lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { scanCgroups } from './scan.ts';

const root = mkdtempSync(join(tmpdir(), 'plumbline-scan-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

const idOf = (path: string): string => lstatSync(join(root, path), { bigint: true }).ino.toString();

describe('the scan', () => {
  it('finds each directory by its inode, and nothing else', async () => {
    for (const path of ['a/b/c', 'a/d', 'e f']) mkdirSync(join(root, path), { recursive: true });
    writeFileSync(join(root, 'a/cgroup.procs'), '');
    const { pathById, errors } = await scanCgroups(root);
    expect(errors).toBe(0);
    const paths = ['/', '/a', '/a/b', '/a/b/c', '/a/d', '/e f'];
    expect([...pathById].sort()).toEqual(paths.map((path) => [idOf(path), path]).sort());
  });

  it('throws when there is no tree at all', async () => {
    await expect(scanCgroups(join(root, 'absent'))).rejects.toThrow('ENOENT');
  });
});
