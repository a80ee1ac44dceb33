import { expect, test } from 'vitest';
import { createCulprits } from './culprits.ts';

test('the first culprits are named until all places are taken', () => {
  const admit = createCulprits(2);
  expect(admit('a', 10, 0)).toEqual({ isNamed: true });
  expect(admit('b', 20, 0)).toEqual({ isNamed: true });
  expect(admit('c', 5, 0)).toEqual({ isNamed: false });
});

test('who clearly outweighs the lightest takes its place, and not before', () => {
  const admit = createCulprits(2);
  admit('a', 10, 0);
  admit('b', 20, 0);
  expect(admit('c', 20, 0)).toEqual({ isNamed: false });
  expect(admit('c', 1, 0)).toEqual({ isNamed: true, replaced: 'a' });
  expect(admit('a', 1, 0)).toEqual({ isNamed: false });
});

test('what was long ago weighs little', () => {
  const admit = createCulprits(1);
  admit('old', 1000, 0);
  expect(admit('new', 10, 60_000)).toEqual({ isNamed: false });
  expect(admit('new', 10, 600_000)).toEqual({ isNamed: true, replaced: 'old' });
});

test('however many come and go, few are remembered, and a heavy one is found among them', () => {
  const admit = createCulprits(10);
  for (let index = 0; index < 5000; index++) admit(`small${index}`, 1, index);
  expect(admit('heavy', 100, 5000).isNamed).toBe(true);
});
