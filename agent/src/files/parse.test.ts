import { expect, test } from 'vitest';
import { parseCpuList, parseCpuTimes, parsePressure, parseSteal, singleValue, valueOfKey } from './parse.ts';

const cpuStat = 'usage_usec 7530637090\nuser_usec 6572749609\nnr_throttled 12\nthrottled_usec 345678\n';

test('a value is found by its key, be it first, in the middle or last', () => {
  expect(valueOfKey(cpuStat, 'usage_usec')).toBe(7_530_637_090);
  expect(valueOfKey(cpuStat, 'nr_throttled')).toBe(12);
  expect(valueOfKey(cpuStat, 'throttled_usec')).toBe(345_678);
});

test.each([
  ['', 'usage_usec'],
  [cpuStat, 'usec'],
  [cpuStat, 'throttled'],
  ['usage_usec', 'usage_usec'],
  ['usage_usec max\n', 'usage_usec'],
  ['usage_usec -1\n', 'usage_usec'],
])('no value: %j of %s', (text, key) => {
  expect(valueOfKey(text, key)).toBeUndefined();
});

test('one number is read, and "max" is none', () => {
  expect(singleValue('13561856\n')).toBe(13_561_856);
  expect(singleValue('max\n')).toBeUndefined();
  expect(singleValue('')).toBeUndefined();
});

test('pressure has stalls of some and of all tasks, and kernels before 5.13 no "full" for the CPU', () => {
  const some = 'some avg10=4.19 avg60=2.70 avg300=2.24 total=1512007974\n';
  expect(parsePressure(`${some}full avg10=0.00 avg60=0.00 avg300=0.00 total=17\n`)).toEqual({
    some: 1_512_007_974,
    full: 17,
  });
  expect(parsePressure(some)).toEqual({ some: 1_512_007_974 });
  expect(parsePressure('')).toEqual({});
});

test('steal is the eighth time of the first line', () => {
  expect(
    parseSteal(
      'cpu  368648 288628 88562 1533026 2651 0 7226 1251 0 0\ncpu0 152715 228983 35730 724903 1 2 3 4 5 6\n',
    ),
  ).toBe(1251);
  expect(parseSteal('cpu  1 2 3\n')).toBeUndefined();
});

test('times of each CPU are what it ran, and what was stolen while it wanted to', () => {
  const text =
    'cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 3 1000 4 5 6 7 8 9\ncpu13 10 0 0 5 0 0 0 0 0 0\nintr 1 2 3\nctxt 5\n';
  expect([...parseCpuTimes(text)]).toEqual([
    [0, { run: 17, stolen: 7 }],
    [13, { run: 10, stolen: 0 }],
  ]);
  expect(parseCpuTimes('').size).toBe(0);
});

test.each([
  ['0', [0]],
  ['0-2,8,10-11', [0, 1, 2, 8, 10, 11]],
  ['', undefined],
  ['all', undefined],
])('the list of CPUs %j', (text, cpus) => {
  expect(parseCpuList(text)).toEqual(cpus);
});
