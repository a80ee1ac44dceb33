// In: a program. Out: why bpftrace or the kernel does not take it.
import { setTimeout as sleep } from 'node:timers/promises';
import { startRun, type Program, type RunOptions } from './run.ts';

/** Compiling takes one to ten seconds. */
const longestStartMs = 60_000;

/** Runs the program up to its first tick. Undefined if that comes, or if `signal` aborts before; else what was said. */
export const refusalOf = async (
  program: Program,
  options: RunOptions,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const ticking = new AbortController();
  const run = startRun(program, options, signal, () => {
    ticking.abort();
  });
  const over = AbortSignal.any([ticking.signal, signal]);
  const end = await Promise.race([
    run.ended,
    sleep(longestStartMs, undefined, { signal: over }).catch(() => undefined),
  ]);
  await run.stop();
  if (over.aborted) return undefined;
  return end?.errors[0] ?? 'it does not start';
};
