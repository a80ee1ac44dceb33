import { expect, test } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { runGroup, type Actor } from './group.ts';

const untilStopped =
  (log: string[], name: string): Actor =>
  async (signal) => {
    await sleep(60_000, undefined, { signal }).catch(() => undefined);
    await sleep(5);
    log.push(name);
  };

test('the first actor to end stops the others, and the group waits for them', async () => {
  const log: string[] = [];
  await runGroup(
    [untilStopped(log, 'a'), () => Promise.resolve(), untilStopped(log, 'b')],
    new AbortController().signal,
  );
  expect(log.sort()).toEqual(['a', 'b']);
});

test('a failure comes out after all have ended', async () => {
  const log: string[] = [];
  const failing: Actor = () => Promise.reject(new Error('port in use'));
  await expect(runGroup([failing, untilStopped(log, 'a')], new AbortController().signal)).rejects.toThrow(
    'port in use',
  );
  expect(log).toEqual(['a']);
});

test('the signal from outside stops all', async () => {
  const controller = new AbortController();
  const log: string[] = [];
  const group = runGroup([untilStopped(log, 'a')], controller.signal);
  controller.abort();
  await group;
  expect(log).toEqual(['a']);
});
