// In: the wish for a verdict. Out: the verdict; the same wish is fulfilled once, however many ask at a time.
import { judge, nobody, type JudgeOptions, type Reason, type Verdict } from '@plumbline/verdict';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonSentences, verdictAnswer, type VerdictAnswer } from '../history/answer.ts';
import type { JudgeConfig } from './config.ts';
import { discover, scopeOf, type Wanted } from './discover.ts';
import { gatherInput } from './input.ts';
import { PrometheusError, type Prometheus, type Steps } from './prometheus.ts';
import { gatherSignals } from './signals.ts';

/** A wish: what to compare, and from when on (Unix seconds) if not over the usual time. */
export interface Wish extends Wanted {
  readonly since?: number | undefined;
}

export interface ServiceOptions {
  readonly prometheus: Prometheus;
  readonly config: Pick<JudgeConfig, 'labels' | 'window' | 'lookback' | 'verdict' | 'signals'>;
  /** Called with each verdict that was made, not with those given again. */
  readonly onAnswer?: (answer: VerdictAnswer) => void;
  readonly onTrouble?: (message: string) => void;
  /** Whoever waits longer is told to ask again, while the work goes on; undefined waits to the end. */
  readonly patienceMs?: number;
}

export interface JudgeService {
  readonly verdict: (wish: Wish) => Promise<VerdictAnswer>;
}

/** Twice the blocks that a pass needs; more windows than this add cost and little knowledge. */
const mostWindows = 40;
/** Time before the canary that shows how the baseline was without it. */
const beforeSeconds = 300;
/** A verdict is good for this long: nothing new has been scraped. */
const freshMs = 5000;
/** Verdicts that are made at the same time; each holds some ten megabytes of answers. */
const mostAtOnce = 4;

/** Returns a service that never throws: what goes wrong is an inconclusive verdict with the reason. */
export const createService = (options: ServiceOptions): JudgeService => {
  const known = new Map<string, { promise: Promise<VerdictAnswer>; untilMs: number }>();
  const inTurn = createTurns(mostAtOnce);
  const windowSeconds = options.config.window / 1000;

  const shared = (wish: Wish): Promise<VerdictAnswer> => {
    const { namespace, app, by, canary, baseline, since } = wish;
    // "30m ago" is another moment for each who asks, and the same window.
    const window = since === undefined ? undefined : Math.floor(since / windowSeconds);
    const key = JSON.stringify([namespace, app, by, canary, baseline, window]);
    const fresh = known.get(key);
    if (fresh !== undefined && fresh.untilMs > performance.now()) return fresh.promise;
    const promise = inTurn(() => makeVerdict(options, wish));
    const entry = { promise, untilMs: Infinity };
    known.set(key, entry);
    void promise.then((answer) => {
      entry.untilMs = performance.now() + freshMs;
      for (const [other, { untilMs }] of known) if (untilMs <= performance.now()) known.delete(other);
      options.onAnswer?.(answer);
    });
    return promise;
  };

  return {
    verdict: (asked) => {
      const wish = { ...asked, canary: orEmpty(asked.canary), baseline: orEmpty(asked.baseline) };
      return orAskAgain(shared(wish), wish, options.patienceMs);
    },
  };
};

/** A template that has no value yet names a version that is not there. */
const orEmpty = (version: string | undefined) => (version === '' ? '(empty)' : version);

/** A tool that has waited too long takes it for an error; what was begun is there when it asks again. */
const orAskAgain = async (
  promise: Promise<VerdictAnswer>,
  wish: Wish,
  patienceMs: number | undefined,
): Promise<VerdictAnswer> => {
  if (patienceMs === undefined) return promise;
  const done = new AbortController();
  const late = sleep(patienceMs, undefined, { signal: done.signal, ref: false }).then(() =>
    unavailable(wish, `Prometheus has not answered all queries within ${patienceMs / 1000} s; ask again.`),
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    late.catch(() => undefined);
    done.abort();
  }
};

const makeVerdict = async (options: ServiceOptions, wish: Wish): Promise<VerdictAnswer> => {
  const { namespace = null, canary, baseline } = wish;
  if (canary !== undefined && canary === baseline)
    return verdictAnswer(inconclusive(named(wish), 'SAME_VERSION'), namespace);
  try {
    return await ask(options, wish);
  } catch (error) {
    const isForeseen = error instanceof PrometheusError;
    options.onTrouble?.(isForeseen ? error.message : String((error as Error).stack ?? error));
    return unavailable(wish, isForeseen ? error.message : 'The judge has failed; its log says why.');
  }
};

const unavailable = (wish: Wish, message: string): VerdictAnswer =>
  verdictAnswer(inconclusive(named(wish), 'SOURCE_UNAVAILABLE'), wish.namespace ?? null, message);

const named = ({ app, canary = nobody, baseline = nobody }: Wish) => ({ app, canary, baseline });

const ask = async (options: ServiceOptions, wish: Wish): Promise<VerdictAnswer> => {
  const { prometheus, config } = options;
  const { labels, signals } = config;
  const windowSeconds = config.window / 1000;
  const now = await prometheus.now();
  const from = wish.since ?? now - config.lookback / 1000;
  const whole = stepsBetween(Math.max(from, now - 24 * 3600), now, windowSeconds);
  const { obstacle, namespace, canary, baseline, canarySince, native } = await discover(
    prometheus,
    wish,
    labels,
    whole,
  );
  const subject = { app: wish.app, canary, baseline };
  if (obstacle !== undefined)
    return verdictAnswer(inconclusive(subject, obstacle.reason), namespace ?? null, obstacle.message);
  // One step earlier: the canary's first requests came before its first sample.
  const begin = Math.max(whole.begin, (canarySince ?? whole.begin) - whole.seconds - beforeSeconds);
  const steps = stepsBetween(begin, now, windowSeconds);
  const scope = {
    ...scopeOf({ ...wish, canary, baseline }, labels),
    namespace,
    versions: [canary, baseline],
  };
  const { input, notes } = await gatherInput({
    ...subject,
    prometheus,
    scope,
    native,
    steps,
    now,
    signals: (at) => gatherSignals(prometheus, signals, labels, { ...subject, namespace }, at),
  });
  const verdict = judge(input, judgeOptions(config.verdict));
  return verdictAnswer(verdict, namespace ?? null, [reasonSentences(verdict), ...notes].join(' '));
};

/** What is answered when nothing could be measured: never a verdict made up. */
const inconclusive = (
  { app, canary, baseline }: { readonly app: string; readonly canary: string; readonly baseline: string },
  reason: Reason,
): Verdict => ({
  ...judge({ app, canary, baseline, buckets: { schema: 3 }, windowSeconds: 30, now: 0, windows: [] }),
  reasons: [reason],
});

const judgeOptions = ({ margin, slo, expectedWeight }: JudgeConfig['verdict']): JudgeOptions => ({
  marginSeconds: margin / 1000,
  ...(slo !== undefined && { slo }),
  ...(expectedWeight !== undefined && { expectedWeight }),
});

/** At most `mostWindows` windows, whole multiples of the shortest, that end at multiples of their length. */
export const stepsBetween = (from: number, to: number, windowSeconds: number): Steps => {
  const seconds = windowSeconds * Math.max(1, Math.ceil((to - from) / mostWindows / windowSeconds));
  return { begin: Math.floor(from / seconds) * seconds, end: Math.floor(to / seconds) * seconds, seconds };
};

/** Runs tasks, not more than `most` at a time, in the order in which they came. */
const createTurns = (most: number) => {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <Result>(task: () => Promise<Result>): Promise<Result> => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      // The turn is handed on, so that nobody who comes now can take it.
      if (next === undefined) running -= 1;
      else next();
    }
  };
};
