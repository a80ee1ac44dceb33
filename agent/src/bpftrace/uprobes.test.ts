import { expect, test } from 'vitest';
import { withTracedFiles } from './uprobes.ts';

const text = `/* uprobe: a { in a comment */
uprobe:libssl:SSL_write, uprobe:libssl:SSL_write_ex
{
  @a = count();
}

uprobe:libssl:SSL_read_ex
{
  @b = count();
}

tracepoint:sched:sched_switch
{
  @c = count();
}
`;

test('each uprobe is attached to each file that has its function, and left out where none has', () => {
  const files = [
    { path: '/proc/1/fd/3', functions: ['SSL_write', 'SSL_write_ex'] },
    { path: '/proc/1/fd/4', functions: ['SSL_write'] },
  ];
  const headers = withTracedFiles(text, files).match(/^\w.*/gm);
  expect(headers).toEqual([
    'uprobe:/proc/1/fd/3:SSL_write,',
    'uprobe:/proc/1/fd/4:SSL_write,',
    'uprobe:/proc/1/fd/3:SSL_write_ex',
    'tracepoint:sched:sched_switch',
  ]);
});

test('a probe that looks into the kernel alone stays as it is', () => {
  const kernel = 'tracepoint:a:b\n{\n  @c = count();\n}\n';
  expect(withTracedFiles(kernel, [])).toBe(kernel);
});
