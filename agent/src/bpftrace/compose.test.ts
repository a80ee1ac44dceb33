import { expect, test } from 'vitest';
import { compose, kernelTypesOf, tracepointsOf } from './compose.ts';

const first = `/* says { what it does */
BEGIN { @a = 1; }
tracepoint:sched:sched_switch { #include no }
interval:s:1 { print(@a); }
END { clear(@a); }
`.replace('#include no', '$x = args->prev_pid;');
const second = `BEGIN
{
  @b = 2;
}
tracepoint:syscalls:sys_enter_read,
tracepoint:syscalls:sys_enter_readv
{
  if (args->fd > 2) { @fd = args->fd; }
  #include "twice.bt"
}
interval:s:1 { print(@b); }
`;
const fragments: Readonly<Record<string, string>> = {
  'twice.bt': '#include "once.bt"\n#include "once.bt"\n',
  'once.bt': '@n = count();\n',
};
const readFragment = (path: string): string => {
  const text = fragments[path];
  if (text === undefined) throw new Error(`no ${path}`);
  return text;
};

test('several probes have one BEGIN, one interval that ends with the tick, and one END', () => {
  const program = compose([first, second], readFragment, 1000);
  expect(program.match(/BEGIN/g)).toHaveLength(1);
  expect(program.match(/END/g)).toHaveLength(1);
  expect(program.match(/interval:/g)).toHaveLength(1);
  expect(program.replace(/\s+/g, ' ')).toContain(
    'interval:s:1 { print(@a); print(@b); @tick = count(); print(@tick); }',
  );
});

test('fragments stand in place of their include lines, nested ones too', () => {
  expect(compose([second], readFragment, 1000).match(/@n = count\(\);/g)).toHaveLength(2);
});

test('a block that several probes include is loaded once', () => {
  const shared = 'tracepoint:sched:sched_process_exit\n{\n  @n = count();\n}\n';
  const program = compose(
    [`#include "shared.bt"\n${first}`, `#include "shared.bt"\n${second}`],
    (path) => (path === 'shared.bt' ? shared : readFragment(path)),
    1000,
  );
  expect(program.match(/sched_process_exit/g)).toHaveLength(1);
});

test('a fragment that is not there stops the composition', () => {
  expect(() => compose(['BEGIN { \n#include "none.bt"\n }'], readFragment, 1000)).toThrow('no none.bt');
});

test('an interval below a second is written in milliseconds', () => {
  expect(compose([first], readFragment, 250)).toContain('interval:ms:250');
});

test('tracepoints are found with the fields that their blocks use', () => {
  expect(tracepointsOf(compose([first, second], readFragment, 1000))).toEqual([
    { category: 'sched', name: 'sched_switch', fields: ['prev_pid'] },
    { category: 'syscalls', name: 'sys_enter_read', fields: ['fd'] },
    { category: 'syscalls', name: 'sys_enter_readv', fields: ['fd'] },
  ]);
});

test.each([
  ['BEGIN { @a = 1;', 'closing brace'],
  ['BEGIN { @a = 1; } stray', 'a probe and its block'],
])('torn text is refused: %s', (text, message) => {
  expect(() => compose([text], readFragment, 1000)).toThrow(message);
});

test('the types of the kernel are those that a program uses, less those that its own header declares', () => {
  const program = `/* struct comment */
tracepoint:a:b { $x = ((struct sock *)args->skaddr)->sk_cgrp_data; $y = (struct iovec *)args->vec; @d = curtask; }`;
  expect(kernelTypesOf(program, 'struct iovec {\n')).toEqual(['sock', 'task_struct']);
  expect(kernelTypesOf('tracepoint:a:b { @ = args->fd; }', '')).toEqual([]);
});
