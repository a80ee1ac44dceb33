import { afterEach, expect, test, vi } from 'vitest';
import bcrypt from 'bcryptjs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadWebConfig } from './web-config.ts';

afterEach(() => vi.restoreAllMocks());

const checkOf = async (users: Readonly<Record<string, string>>) => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-'));
  try {
    await writeFile(join(folder, 'web.yaml'), JSON.stringify({ basic_auth_users: users }));
    const { isUser } = await loadWebConfig(join(folder, 'web.yaml'));
    return isUser ?? (() => Promise.reject(new Error('Nobody is asked')));
  } finally {
    await rm(folder, { recursive: true });
  }
};

test('a password, right or wrong, is compared once, however often it comes at a time', async () => {
  const isUser = await checkOf({ sre: await bcrypt.hash('right', 4) });
  const compare = vi.spyOn(bcrypt, 'compare');
  const ask = (password: string, user = 'sre') => Promise.all([1, 2, 3].map(() => isUser(user, password)));
  expect(await Promise.all([ask('right'), ask('wrong'), ask('right', 'nobody')])).toEqual([
    [true, true, true],
    [false, false, false],
    [false, false, false],
  ]);
  expect(await ask('wrong')).toEqual([false, false, false]);
  expect(compare).toHaveBeenCalledTimes(3);
});

test('a hundred wrong ones are remembered, and the right one for ever', async () => {
  const isUser = await checkOf({ sre: await bcrypt.hash('right', 4) });
  await isUser('sre', 'right');
  for (let guess = 0; guess <= 100; guess++) expect(await isUser('sre', String(guess))).toBe(false);
  const compare = vi.spyOn(bcrypt, 'compare');
  expect([await isUser('sre', '100'), await isUser('sre', 'right')]).toEqual([false, true]);
  expect(compare).not.toHaveBeenCalled();
  await isUser('sre', '0');
  expect(compare).toHaveBeenCalledOnce();
});
