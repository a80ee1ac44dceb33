import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import bcrypt from 'bcryptjs';
import { createPasswordCheck, type PasswordCheck } from './passwords.ts';

let check: PasswordCheck;
beforeEach(async () => {
  check = createPasswordCheck({ sre: await bcrypt.hash('right', 4) });
});
afterEach(() => vi.restoreAllMocks());

test('a password, right or wrong, is compared once, however often it comes at a time', async () => {
  const compare = vi.spyOn(bcrypt, 'compare');
  const ask = (password: string, user = 'sre') =>
    Promise.all([1, 2, 3].map(() => check(user, password, `${user} ${password}`)));
  expect(await Promise.all([ask('right'), ask('wrong'), ask('right', 'nobody')])).toEqual([
    ['right', 'right', 'right'],
    ['wrong', 'wrong', 'wrong'],
    ['wrong', 'wrong', 'wrong'],
  ]);
  expect(compare).toHaveBeenCalledTimes(3);
});

test('what was right once waits for no guess; another one of a busy address is told to come later', async () => {
  expect(await check('sre', 'right', 'a')).toBe('right');
  let conclude: (isRight: false) => void = () => undefined;
  const guess = new Promise<false>((resolve) => (conclude = resolve));
  const compare = vi.spyOn(bcrypt, 'compare').mockReturnValue(guess as never);
  const first = check('sre', 'guess', 'b');
  const others = Promise.all([check('sre', 'other', 'b'), check('sre', 'guess', 'b')]);
  expect(await check('sre', 'right', 'b')).toBe('right');
  expect(await check('nobody', 'other', 'b')).toBe('later');
  conclude(false);
  expect(await first).toBe('wrong');
  expect(await others).toEqual(['later', 'wrong']);
  expect(compare).toHaveBeenCalledOnce();
});

test('only so many addresses wait at a time, and each gets its turn', async () => {
  const addresses = Array.from({ length: 20 }, (_, index) => String(index));
  const answers = await Promise.all(addresses.map((address) => check('sre', `guess ${address}`, address)));
  expect(answers).toEqual(addresses.map((_, index) => (index < 16 ? 'wrong' : 'later')));
});
