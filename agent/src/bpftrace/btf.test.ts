import { expect, test } from 'vitest';
import { sliceBtf } from './btf.ts';

type Word = number | string;

/** Types as words of 4 bytes each, of which names stand for where they are among the strings. */
const btfOf = (names: readonly string[], ...types: readonly (readonly Word[])[]): Buffer => {
  const strings = `\0${names.join('\0')}\0`;
  const bytesOf = (words: readonly Word[]) => {
    const numbers = words.map((word) =>
      typeof word === 'number' ? word : strings.indexOf(`\0${word}\0`) + 1,
    );
    return Buffer.from(Uint32Array.from(numbers).buffer);
  };
  const body = bytesOf(types.flat());
  const header = bytesOf([0x0001eb9f, 24, 0, body.length, body.length, strings.length]);
  return Buffer.concat([header, body, Buffer.from(strings, 'latin1')]);
};
const kind = (number: number, parts = 0) => number * 2 ** 24 + parts;
const [integer, pointer, struct, union, enumeration, typedef, prototype] = [1, 2, 4, 5, 6, 8, 13];

const kernel = btfOf(
  ['int', 'sock', 'state', 'rest', 'next', 'node', 'run', 'u64', 'color', 'red', 'green', 'inside', 'other'],
  ['int', kind(integer), 4, 0x20],
  ['node', kind(struct, 2), 16, ...['state', 1, 0], ...['rest', 1, 32]],
  [0, kind(pointer), 2],
  [0, kind(prototype, 1), 0, ...['next', 3]],
  [0, kind(pointer), 4],
  [0, kind(union, 2), 8, ...['inside', 1, 0], ...['rest', 1, 0]],
  [0, kind(struct, 1), 8, ...['rest', 1, 0]],
  [
    ...['sock', kind(struct, 6), 64],
    ...[...['rest', 1, 0], ...['state', 1, 64], ...['next', 3, 128], ...['run', 5, 192]],
    ...[...[0, 6, 256], ...[0, 7, 320]],
  ],
  ['other', kind(struct, 1), 4, ...['state', 1, 0]],
  ['u64', kind(typedef), 1],
  ['color', kind(enumeration, 2), 4, ...['red', 0], ...['green', 1]],
);

test('what the program names stays as it was, and what that points to; functions do not', () => {
  const slice = sliceBtf(kernel, '$s = (struct sock *)1; $s->next->state + $s->run + $s->inside');
  const expected = btfOf(
    ['sock', 'state', 'int', 'next', 'node', 'run', 'inside', 'u64', 'color', 'red'],
    [
      'sock',
      kind(struct, 4),
      64,
      ...['state', 2, 64],
      ...['next', 3, 128],
      ...['run', 5, 192],
      ...[0, 6, 256],
    ],
    ['int', kind(integer), 4, 0x20],
    [0, kind(pointer), 4],
    ['node', kind(struct, 1), 16, ...['state', 2, 0]],
    [0, kind(pointer), 0],
    [0, kind(union, 1), 8, ...['inside', 2, 0]],
    ['u64', kind(typedef), 2],
    ['color', kind(enumeration, 1), 4, ...['red', 0]],
  );
  expect(slice.toString('hex')).toBe(expected.toString('hex'));
});

test('what is no BTF, or of a kernel to come, is not cut', () => {
  expect(() => sliceBtf(Buffer.from('ELF'), '')).toThrow('Expected BTF');
  expect(() => sliceBtf(btfOf(['x'], ['x', kind(20), 0]), '')).toThrow('got 20');
});
