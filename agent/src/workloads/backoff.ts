// In: keys that a look-up did not find, and the time in ms; out: whether it is time to look for them again.

/** Remembers what was looked for in vain, but never for ever. */
export interface Backoff {
  isDue(key: string, nowMs: number): boolean;
  /** Notes a look-up in vain: the next one is due after twice the time. */
  failed(key: string, nowMs: number): void;
  delete(key: string): void;
  /** Forgets keys that nobody asked for in `forgetMs`. */
  sweep(nowMs: number): void;
}

interface Failure {
  readonly dueMs: number;
  readonly delayMs: number;
  readonly askedMs: number;
}

/** Starts at half an interval, so that a second look falls into the next interval, and goes up to about a minute. */
export const createBackoff = ({
  firstMs = 500,
  lastMs = 60_000,
  forgetMs = 600_000,
}: { readonly firstMs?: number; readonly lastMs?: number; readonly forgetMs?: number } = {}): Backoff => {
  const failureByKey = new Map<string, Failure>();
  return {
    isDue: (key, nowMs) => {
      const failure = failureByKey.get(key);
      if (failure === undefined) return true;
      failureByKey.set(key, { ...failure, askedMs: nowMs });
      return nowMs >= failure.dueMs;
    },
    failed: (key, nowMs) => {
      const previous = failureByKey.get(key);
      const delayMs = previous === undefined ? firstMs : Math.min(previous.delayMs * 2, lastMs);
      failureByKey.set(key, { dueMs: nowMs + delayMs, delayMs, askedMs: nowMs });
    },
    delete: (key) => {
      failureByKey.delete(key);
    },
    sweep: (nowMs) => {
      for (const [key, { askedMs }] of failureByKey) if (nowMs - askedMs > forgetMs) failureByKey.delete(key);
    },
  };
};
