import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLine } from './parse.ts';

test('a map with keys gives its values by key', () => {
  const line = parseLine('{"type": "map", "data": {"@m": {"1,2": 5, "1,3": 7}}}');
  expect(line).toEqual({
    kind: 'map',
    name: '@m',
    values: new Map([
      ['1,2', 5],
      ['1,3', 7],
    ]),
  });
});

test('where ids of cgroups have generations, they are inodes all the same, and two of one inode add up', () => {
  const [first, second] = [(1n << 32n) + 4242n, (2n << 32n) + 4242n];
  const line = `{"type":"map","data":{"@m":{"${first},2,134":5,"${second},2,134":3,"${first},${second}":1}}}`;
  expect(parseLine(line, true)).toMatchObject({
    values: new Map([
      ['4242,2,134', 8],
      ['4242,4242', 1],
    ]),
  });
  expect(parseLine(line)).toMatchObject({ values: { size: 3 } });
});

test('a map without keys has its value under the empty key', () => {
  expect(parseLine('{"type":"map","data":{"@tick":3}}')).toEqual({
    kind: 'map',
    name: '@tick',
    values: new Map([['', 3]]),
  });
});

test('an empty map has no values', () => {
  expect(parseLine('{"type":"map","data":{"@m":{}}}')).toEqual({
    kind: 'map',
    name: '@m',
    values: new Map(),
  });
});

test('integers that bpftrace 0.24 prints as strings are numbers', () => {
  expect(parseLine('{"type":"map","data":{"@m":{"1":"9007199254740993"}}}')).toMatchObject({
    values: new Map([['1', 9007199254740992]]),
  });
});

test.each([
  ['{"type": "attached_probes", "data": {"probes": 18}}', { kind: 'attached' }],
  ['{"type": "lost_events", "data": {"events": 12}}', { kind: 'lost', events: 12 }],
  ['{"type": "printf", "data": "hello"}', { kind: 'other' }],
  ['{"type": "of tomorrow"}', { kind: 'other' }],
  ['', { kind: 'other' }],
])('%s', (text, expected) => {
  expect(parseLine(text)).toEqual(expected);
});

test.each([
  ['{"type": "map", "data": {"@m": {"1,2": 5', 'not JSON'],
  ['Attaching 18 probes...', 'not JSON'],
  ['[1]', 'not an object'],
  ['{}', 'no type'],
  ['{"type":"map"}', 'map without data'],
  ['{"type":"map","data":{}}', 'map without a name'],
  ['{"type":"map","data":{"@m":{"1":"many"}}}', 'value of @m not a number'],
  ['{"type":"map","data":{"@m":{"1":[1]}}}', 'value of @m not a number'],
])('broken: %s', (text, reason) => {
  expect(parseLine(text)).toMatchObject({
    kind: 'broken',
    reason: expect.stringContaining(reason) as string,
  });
});

test('no text makes it throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => parseLine(text).kind.length > 0));
});
