import { expect, test } from 'vitest';
import { checkThreads, readThreads } from './threads.ts';

test('the threads of the node are the second number of the fourth field of /proc/loadavg', () => {
  expect(readThreads(() => '0.20 0.18 0.12 1/20480 11206\n')).toBe(20_480);
  expect(readThreads(() => undefined)).toBeUndefined();
  expect(readThreads()).toBeGreaterThan(1);
});

test('threads that nearly fill a kernel map are a warning whose remedy gets rid of it', () => {
  expect(checkThreads(16_384, 11_000).status).toBe('ok');
  const { status, remedy = '' } = checkThreads(16_384, 20_000);
  expect(status).toBe('warning');
  expect(remedy).toBe('set "bpftrace.maxMapKeys" to 32768 or more');
  expect(checkThreads(32_768, 20_000).status).toBe('ok');
});
