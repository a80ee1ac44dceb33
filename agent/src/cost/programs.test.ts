import { expect, test } from 'vitest';
import { parseFdinfo } from './programs.ts';

test('a program has its id, type, runs, time and misses', () => {
  const text = `pos:\t0
flags:\t02000000
mnt_id:\t15
ino:\t1057
prog_type:\t5
prog_jited:\t1
prog_tag:\t89594ab9e0a8b322
memlock:\t4096
prog_id:\t3400
run_time_ns:\t123456
run_cnt:\t789
recursion_misses:\t2
verified_insns:\t29
`;
  expect(parseFdinfo(text)).toEqual({ id: 3400, type: 5, runs: 789, nanoseconds: 123_456, misses: 2 });
});

test('an older kernel books less', () => {
  expect(parseFdinfo('prog_type:\t5\nprog_id:\t7\n')).toEqual({
    id: 7,
    type: 5,
    runs: 0,
    nanoseconds: 0,
    misses: 0,
  });
});

test.each(['', 'pos:\t0\nflags:\t02\n', 'link_type:\tperf\nlink_id:\t3\nprog_tag:\tab\nprog_id:\t3400\n'])(
  '%j is no program',
  (text) => {
    expect(parseFdinfo(text)).toBeUndefined();
  },
);
