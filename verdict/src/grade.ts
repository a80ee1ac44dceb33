// A run so far in; how well code and node can be told apart, and what may be compared for that, out.
import { coTenantError } from './cotenant.ts';
import { foretoldSlowdown } from './covariate.ts';
import type { Rung } from './ladder.ts';
import { nodeSpread } from './nodes.ts';
import { studentQuantile } from './special.ts';
import type { State } from './state.ts';
import type { Grade } from './types.ts';
import { hiddenDelay, waitsForItself } from './waits.ts';

/** Returns the best grade that covers half of the canary's requests. */
export function gradeOf(state: State): Omit<Grade, 'nodes'> {
  const { coverage, covariate } = state;
  const share = (covered: number): number => (coverage.canary > 0 ? covered / coverage.canary : 0);
  const named = (name: Grade['name'], covered: number): Omit<Grade, 'nodes'> => ({
    name,
    share: Math.min(1, share(covered)),
  });
  if (share(coverage.matched) >= 0.5) return named('matched', coverage.matched);
  if (isNetKnown(state)) return named('measured', coverage.net);
  if (share(coverage.coTenant) >= 0.5) return named('co-tenant', coverage.coTenant);
  if (foretoldSlowdown(covariate) !== undefined) return named('covariate', coverage.canary);
  return named('none', 0);
}

/**
 * Whether the kernel told for half of the canary's requests how long they waited for a CPU, and someone else had it.
 * Two versions on one node may well wait for different CPUs, so that this matters under a matched grade as well.
 */
export function isNetKnown({ coverage, waits }: State): boolean {
  return coverage.canary > 0 && coverage.net >= coverage.canary / 2 && !waitsForItself(waits);
}

/** A canary more than this of whose net durations is delay that the kernel did not see as such cannot be judged by them. */
const mostHidden = 0.05;
/** The same, where CPU time is not told: with a larger share of waiting in request time there is a queue. */
const mostDelay = 0.4;
/** Which is held against nobody as long as the baseline is not about as badly off. */
const starvedAlike = 0.8;

/**
 * Whether others take so much of the canary's CPU, and so much more than of the baseline's, that its requests queue up
 * where the kernel does not see it: that queue is in the net durations, and looks like code.
 */
export function isStarved({ delay, waits, subject: { windowSeconds } }: State): boolean {
  const hidden = hiddenDelay(waits.canary, windowSeconds);
  if (hidden !== undefined) {
    const { requests } = waits.canary.told;
    const netSeconds = (delay.canary.seconds - delay.canary.schedSeconds) / requests;
    const more = hidden - (hiddenDelay(waits.baseline, windowSeconds) ?? 0);
    return netSeconds > 0 && more > mostHidden * netSeconds;
  }
  const share = delayShare(delay.canary) ?? 0;
  return share > mostDelay && (delayShare(delay.baseline) ?? 0) < starvedAlike * share;
}

/** Scheduler delay as a share of request time; null without any. */
export function delayShare({ schedSeconds, seconds }: State['delay']['canary']): number | null {
  return seconds > 0 ? Math.min(1, schedSeconds / seconds) : null;
}

/** The share of an arm's CPU time that was stolen, as its requests met it; null where nobody tells. */
export function stolenShare({ stolen, requests }: State['steal']['canary']): number | null {
  return requests > 0 ? stolen / requests : null;
}

/** What a grade compares, what it takes out, and what it cannot know. */
export function comparisonOf(
  state: State,
  grade: Grade['name'],
): {
  readonly rungs: readonly Rung[];
  readonly shift: number;
  readonly standing: (alpha: number, rung: number, p: number) => number | undefined;
} {
  const byNature =
    (kind: 'raw' | 'net') =>
    (alpha: number, _: number, p: number): number | undefined =>
      nodeSpread(state.nodes, kind, p, alpha, state.layout);
  switch (grade) {
    case 'matched':
      return { rungs: isNetKnown(state) ? state.net : state.matched, shift: 0, standing: () => 0 };
    case 'measured':
      return { rungs: state.net, shift: 0, standing: byNature('net') };
    case 'co-tenant':
      return {
        rungs: state.coTenants.rungs,
        shift: 0,
        standing: (alpha, rung) => studentQuantile(1 - alpha / 2, 3) * coTenantError(state.coTenants, rung),
      };
    case 'covariate':
      return { rungs: state.raw, shift: foretoldSlowdown(state.covariate) ?? 0, standing: byNature('raw') };
    case 'none':
      return { rungs: state.raw, shift: 0, standing: byNature('raw') };
  }
}
