// In: a program. Out: why bpftrace or the kernel does not take it.
import { isDelivering, startRun, type Program, type RunOptions } from './run.ts';

/**
 * Runs the program up to its first tick. Undefined if that comes, or if nobody can tell: `signal` aborts before, or it was
 * killed, for its memory or because it took too long; else what was said.
 */
export const refusalOf = async (
  program: Program,
  options: RunOptions,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const run = startRun(program, options, signal, () => undefined);
  const isTaken = (await isDelivering(run, signal)) || signal.aborted;
  await run.stop();
  const end = await run.ended;
  return isTaken || end.signal !== undefined ? undefined : (end.errors[0] ?? 'it does not start');
};
