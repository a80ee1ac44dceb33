// In: which libraries are in use, look after look. Out: when to attach to which of them. Pure.

/** By identity. */
type Some<File> = ReadonlyMap<string, File>;

export interface Choice<File> {
  /** Takes what is in use now; returns what to attach to from now on, or undefined to leave it as it is. */
  readonly observe: (found: Some<File>) => Some<File> | undefined;
  /** Takes what `observe` returned, and whether the attempt at it has succeeded. */
  readonly conclude: (wanted: Some<File>, isAttached: boolean) => void;
  readonly attached: () => Some<File>;
}

/** Each costs some twelve file descriptors of bpftrace. */
export const mostLibraries = 64;
/** What is gone may come back, as a pod that is restarted does. */
const goneMs = 600_000;
/** Attaching costs seconds of CPU time: what changes all the time is followed ever more slowly. */
const firstPauseMs = 10_000;
const longestPauseMs = 1_800_000;

/**
 * A library is attached to when two looks in a row have found it, and the first look's at once. It stays attached until it
 * has been gone for ten minutes. Attempts are ten seconds apart, and twice as long each time that one follows soon.
 */
export const createChoice = <File>(now: () => number = () => performance.now()): Choice<File> => {
  const seenMs = new Map<string, number>();
  let before: Some<File> | undefined;
  let attached: Some<File> = new Map();
  let pauseMs = firstPauseMs;
  let concludedMs = -Infinity;

  const choose = (found: Some<File>): Some<File> => {
    const kept = [...attached].filter(([id]) => now() - (seenMs.get(id) ?? -Infinity) < goneMs);
    const added = [...found].filter(([id]) => !attached.has(id) && (before === undefined || before.has(id)));
    return new Map([...kept, ...added].slice(0, mostLibraries));
  };

  return {
    observe: (found) => {
      for (const id of found.keys()) seenMs.set(id, now());
      for (const id of seenMs.keys()) if (!found.has(id) && !attached.has(id)) seenMs.delete(id);
      const wanted = choose(found);
      before = found;
      const isSame = wanted.size === attached.size && [...wanted.keys()].every((id) => attached.has(id));
      return isSame || now() - concludedMs < pauseMs ? undefined : wanted;
    },
    conclude: (wanted, isAttached) => {
      const sinceMs = now() - concludedMs;
      concludedMs = now();
      pauseMs = sinceMs < 2 * pauseMs ? Math.min(2 * pauseMs, longestPauseMs) : firstPauseMs;
      if (isAttached) attached = wanted;
    },
    attached: () => attached,
  };
};
