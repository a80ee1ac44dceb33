// In: actors that run until told to stop. Out: one promise: the first to end stops all, and it waits for all.
import { once } from 'node:events';

/** Runs until `signal` aborts, and resolves only when everything it started is gone. */
export type Actor = (signal: AbortSignal) => Promise<void>;

/** Runs actors together; rejects with the first failure, after the last has ended. */
export const runGroup = async (actors: readonly Actor[], signal: AbortSignal): Promise<void> => {
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  const endings = actors.map(async (actor) => {
    try {
      await actor(all);
    } finally {
      stop.abort();
    }
  });
  const failed = (await Promise.allSettled(endings)).find((ending) => ending.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
};

/** Resolves when the signal aborts. */
export const untilAborted = async (signal: AbortSignal): Promise<void> => {
  if (!signal.aborted) await once(signal, 'abort');
};
