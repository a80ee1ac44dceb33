import { expect, test } from 'vitest';
import { nobody, pickArms } from './arms.ts';

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
    'both there from the begin: the higher name, whatever the traffic',
    [seen('v9', 1000, 50), seen('v10', 1005, 900)],
    'v10',
    'v9',
    'name',
  ],
  [
    'names that do not count: less traffic',
    [seen('6d4b75cb6d', 1000, 50), seen('7f9c5c8f4', 1005, 900)],
    '6d4b75cb6d',
    '7f9c5c8f4',
    'traffic',
  ],
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

test.each([
  ['a baseline that was asked for is not the canary', { baseline: 'v3' }, 'v2', 'v3'],
  ['a canary that was asked for is not the baseline', { canary: 'v1' }, 'v1', 'v3'],
  ['what was asked for need not be there', { canary: 'v4' }, 'v4', 'v3'],
])('%s', (_what, wanted, canary, baseline) => {
  const versions = [seen('v1', 1000, 10), seen('v2', 1200, 20), seen('v3', 1300, 900)];
  expect(pickArms(versions, begin, wanted)).toEqual({ canary, baseline, foundBy: 'options' });
});

test('one version is the baseline of nobody', () => {
  expect(pickArms([seen('v1', 1000, 10)], begin)).toMatchObject({ canary: nobody, baseline: 'v1' });
  expect(pickArms([seen('v1', 1000, 10)], begin, { baseline: 'v1' })).toMatchObject({ canary: nobody });
  expect(pickArms([], begin)).toMatchObject({ canary: nobody, baseline: nobody });
});
