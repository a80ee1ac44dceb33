import { expect, it } from 'vitest';
import { lineageOf } from './lineage.ts';

it.each([
  ['/', ['/']],
  ['/a', ['/a']],
  ['/a/b.slice/c', ['/a/b.slice/c', '/a/b.slice', '/a']],
])('the lineage of %s is %j', (path, lineage) => {
  expect(lineageOf(path)).toEqual(lineage);
});
