import { expect, test } from 'vitest';
import { createChoice, mostLibraries } from './choice.ts';

/** Looks every five seconds; says at which of them it is attached to something else, and to what. */
const attempts = (looks: readonly (readonly string[])[], succeeds = true): Record<number, string> => {
  let nowMs = 0;
  const choice = createChoice<string>(() => nowMs);
  const made: Record<number, string> = {};
  for (const [look, found] of looks.entries()) {
    nowMs = look * 5000;
    const wanted = choice.observe(new Map(found.map((one) => [one, `file ${one}`])));
    if (wanted === undefined) continue;
    made[look] = [...wanted.keys()].join('');
    choice.conclude(wanted, succeeds);
  }
  return made;
};
const times = (count: number, ...found: string[]) => Array.from({ length: count }, () => found);

test('what the first look finds is attached to at once, what comes later when two looks have found it', () => {
  expect(attempts([['a'], ['a'], ['a', 'b'], ['a', 'b'], ['a', 'b']])).toEqual({ 0: 'a', 3: 'ab' });
});

test('what one look alone has found is left alone', () => {
  expect(attempts([['a'], ['a'], ['a', 'b'], ['a'], ['a', 'b'], ['a']])).toEqual({ 0: 'a' });
});

test('what is gone is let go after ten minutes, unless it comes back', () => {
  expect(attempts([['a', 'b'], ...times(119, 'a'), ...times(2, 'a', 'b'), ...times(119, 'a')])).toEqual({
    0: 'ab',
  });
  expect(attempts([['a', 'b'], ...times(130, 'a')])).toEqual({ 0: 'ab', 120: 'a' });
});

test('what changes all the time is followed ever more slowly, and what fails is tried ever less', () => {
  const changing = Array.from({ length: 720 }, (_, look) => ['a', `${look >> 1}`]);
  expect(Object.keys(attempts(changing)).length).toBeLessThan(12); // of an hour
  expect(Object.keys(attempts(times(720, 'a'), false)).length).toBeLessThan(12);
});

test('no more are attached to than bpftrace has descriptors for', () => {
  const many = Array.from({ length: mostLibraries + 9 }, (_, index) => String(index));
  expect(attempts([many, many, many, many])).toEqual({ 0: many.slice(0, mostLibraries).join('') });
});
