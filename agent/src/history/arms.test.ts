import { expect, test } from 'vitest';
import { pickArms } from './arms.ts';

const begin = 1000;
const seen = (version: string, firstSeen: number, requests: number) => ({ version, firstSeen, requests });

test.each([
  [
    'the version that came later is the canary',
    [seen('v1', 1000, 900), seen('v2', 1300, 100)],
    'v2',
    'v1',
    'newest',
  ],
  [
    'and stays it when most traffic is its own',
    [seen('v1', 1000, 100), seen('v2', 1300, 900)],
    'v2',
    'v1',
    'newest',
  ],
  ['whatever its name', [seen('v2', 1000, 900), seen('v1', 1300, 100)], 'v1', 'v2', 'newest'],
  [
    'both there from the begin: less traffic',
    [seen('v1', 1000, 50), seen('v2', 1005, 900)],
    'v1',
    'v2',
    'traffic',
  ],
  ['the same traffic: the higher name', [seen('v10', 1000, 100), seen('v9', 1000, 99)], 'v10', 'v9', 'name'],
  [
    'of several others, the one with most requests is the baseline',
    [seen('v1', 1000, 10), seen('v2', 1000, 900), seen('v3', 1200, 20)],
    'v3',
    'v2',
    'newest',
  ],
])('%s', (_what, versions, canary, baseline, foundBy) => {
  expect(pickArms(versions, begin)).toEqual({ canary, baseline, foundBy });
});

test('one version, or none, is nothing to compare', () => {
  expect(pickArms([seen('v1', 1000, 10)], begin)).toBeUndefined();
  expect(pickArms([], begin)).toBeUndefined();
});
