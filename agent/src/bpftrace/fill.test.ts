import { expect, test } from 'vitest';
import { createFillWatch } from './fill.ts';

const snapshotOf = (size: number) => ({
  run: 1,
  maps: new Map([['@http_requests', new Map(Array.from({ length: size }, (_, key) => [String(key), 1]))]]),
});

/** Minutes at which it is told that a map of 100 is full; and what is told. */
const toldWhile = (minutes: number, sizeAt: (minute: number) => number) => {
  const told: [minute: number, map: string, entries: number][] = [];
  let minute = 0;
  const observe = createFillWatch(
    100,
    (map, entries) => Promise.resolve(told.push([minute, map, entries])),
    () => minute * 60_000,
  );
  for (; minute < minutes; minute += 0.25) observe(snapshotOf(sizeAt(minute)));
  return told;
};

test('a map that is 70 % full is told at once', () => {
  expect(toldWhile(10, (minute) => (minute < 3 ? 69 : 10))).toEqual([]);
  expect(toldWhile(10, (minute) => (minute === 3 ? 70 : 10))).toEqual([[3, '@http_requests', 70]]);
});

test('when that helps, the next time is told as soon as it comes', () => {
  const told = toldWhile(30, (minute) => (minute % 5 === 0 ? 90 : 10));
  expect(told.map(([minute]) => minute)).toEqual([0, 5, 10, 15, 20, 25]);
});

test('when it does not help, it is told ever less often, but once an hour', () => {
  const told = toldWhile(300, () => 90);
  expect(told.map(([minute]) => minute)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
});
