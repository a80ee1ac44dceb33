// Windows in; what an on-call engineer checks by hand out: traffic, bad minutes, retry storms, error budgets.
import type { Settings } from './options.ts';
import type { Cell, Window } from './types.ts';

/** Totals of both arms, before and since the canary's first request, and the last two minutes. */
export interface OnCall {
  readonly before: Period;
  readonly since: Period;
  readonly recent: { readonly end: number; readonly canary: Count; readonly baseline: Count }[];
  firstCanaryEnd: number | undefined;
  lastCanaryEnd: number | undefined;
  lastBaselineEnd: number | undefined;
}

interface Period {
  seconds: number;
  canary: Count;
  baseline: Count;
}

interface Count {
  readonly requests: number;
  readonly errors: number;
}

const none: Count = { requests: 0, errors: 0 };
const badShare = 0.01;
const badSeconds = 120;

/** Returns totals of nothing. */
export function emptyOnCall(): OnCall {
  return {
    before: { seconds: 0, canary: none, baseline: none },
    since: { seconds: 0, canary: none, baseline: none },
    recent: [],
    firstCanaryEnd: undefined,
    lastCanaryEnd: undefined,
    lastBaselineEnd: undefined,
  };
}

/** Adds a window. */
export function pushOnCall(state: OnCall, { end, cells }: Window, windowSeconds: number): void {
  const canary = countOf(cells, 'canary');
  const baseline = countOf(cells, 'baseline');
  if (canary.requests > 0) {
    state.firstCanaryEnd ??= end;
    state.lastCanaryEnd = end;
  }
  if (baseline.requests > 0) state.lastBaselineEnd = end;
  const period = state.firstCanaryEnd === undefined ? state.before : state.since;
  period.seconds += windowSeconds;
  period.canary = add(period.canary, canary);
  period.baseline = add(period.baseline, baseline);
  state.recent.push({ end, canary, baseline });
  // Kept: the windows of the last two minutes, and the one before them that shows they are complete.
  while ((state.recent[1]?.end ?? Infinity) <= end - badSeconds) state.recent.shift();
}

/** Arms that lost more than 1 % of their requests over the last two full minutes, with ten errors or more. */
export function badArms(
  { recent }: OnCall,
  windowSeconds: number,
): { readonly canary: boolean; readonly baseline: boolean } {
  const last = recent.at(-1)?.end ?? 0;
  const within = recent.filter(({ end }) => end > last - badSeconds);
  const full = last - (within[0]?.end ?? last) + windowSeconds >= badSeconds;
  const isBad = (arm: 'canary' | 'baseline'): boolean => {
    const { requests, errors } = within.map((window) => window[arm]).reduce(add, none);
    return full && errors >= 10 && errors > badShare * requests;
  };
  return { canary: isBad('canary'), baseline: isBad('baseline') };
}

/**
 * Whether retries seem to flood the service since the canary came: demand is up by a fifth or more over the
 * minutes before, and the baseline, whose code has not changed, fails clearly more often than it did.
 */
export function retryStorm({ before, since }: OnCall): boolean {
  if (before.seconds < 60 || since.seconds === 0) return false;
  const demandBefore = before.baseline.requests / before.seconds;
  const demandSince = (since.baseline.requests + since.canary.requests) / since.seconds;
  return (
    demandBefore > 0 && demandSince >= 1.2 * demandBefore && worseThanBefore(before.baseline, since.baseline)
  );
}

/** Whether the canary's share of requests is far (by half or more, beyond chance) from the `expected` one. */
export function shareUnexpected(
  { since: { canary, baseline } }: OnCall,
  expected: number | undefined,
): boolean {
  const requests = canary.requests + baseline.requests;
  if (expected === undefined || requests === 0) return false;
  const difference = Math.abs(canary.requests / requests - expected);
  return difference > 0.5 * expected && difference > 4 * Math.sqrt((expected * (1 - expected)) / requests);
}

/** Errors per request over errors that the objective allows, by arm: 1 spends the budget exactly in its period. */
export function burnRates(
  { since: { canary, baseline } }: OnCall,
  { slo }: Settings,
): { readonly canary: number | null; readonly baseline: number | null } | null {
  if (slo === undefined) return null;
  const rate = ({ requests, errors }: Count): number | null =>
    requests > 0 ? errors / requests / (1 - slo) : null;
  return { canary: rate(canary), baseline: rate(baseline) };
}

/** An e-value of 20 or more against "at most half as many errors again": binomial, given all errors. */
function worseThanBefore(before: Count, since: Count): boolean {
  const requests = before.requests + since.requests;
  if (before.requests === 0 || requests === 0) return false;
  const share = since.requests / requests;
  const errors = before.errors + since.errors;
  const values = [2, 3, 5, 10, 20].map((ratio) =>
    Math.exp(
      Math.min(
        since.errors * Math.log(ratio / 1.5) -
          errors * Math.log((1 - share + share * ratio) / (1 - share + share * 1.5)),
        700,
      ),
    ),
  );
  return values.reduce((sum, value) => sum + value, 0) / values.length >= 20;
}

function countOf(cells: readonly Cell[], arm: Cell['arm']): Count {
  let requests = 0;
  let errors = 0;
  for (const cell of cells) {
    if (cell.arm !== arm) continue;
    requests += cell.requests;
    errors += cell.errors;
  }
  return { requests, errors };
}

function add(a: Count, b: Count): Count {
  return { requests: a.requests + b.requests, errors: a.errors + b.errors };
}
