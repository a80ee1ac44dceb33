// Simulated windows in; whether Kayenta, Flagger and Argo Rollouts would have rolled back out.
import { layoutOf } from '../src/buckets.ts';
import { addCounts, emptyHistogram, quantile } from '../src/histogram.ts';
import type { Window } from '../src/types.ts';
import { families, quantileOf, simulatedSchema } from './families.ts';
import { classify } from './kayenta.ts';
import type { World } from './world.ts';

/** Who rolled back. */
export interface OthersOutcome {
  readonly kayenta: boolean;
  readonly flagger: boolean;
  readonly argo: boolean;
}

/** One minute of pooled p99 (seconds) and error ratios, undefined without traffic. */
interface Minute {
  readonly canaryP99: number | undefined;
  readonly baselineP99: number | undefined;
  readonly canaryErrors: number | undefined;
  readonly baselineErrors: number | undefined;
}

/**
 * Returns what three widely used judges do with the same windows, each once a minute on pooled series:
 *
 * - Kayenta: p99 and error ratio, direction Increase, its default tolerance and confidence, every ten minutes over
 *   the whole run so far; a metric that is High fails.
 * - Flagger: p99 at most 10 % above what the quiet service has, success rate at least 99 %, threshold 5: failed
 *   checks add up and never expire; no traffic is a failed check.
 * - Argo Rollouts: canary p99 at most 1.1 times the stable one, error ratio at most 1 %, failureLimit 3.
 */
export function othersOutcome({ windows, family, subject }: World): OthersOutcome {
  const minutes = minutesOf(windows, subject.windowSeconds);
  const limit = 1.1 * quantileOf(families[family] ?? (() => 1), 0.99);
  const flagger = minutes.filter(
    ({ canaryP99, canaryErrors }) =>
      canaryErrors === undefined || canaryErrors > 0.01 || (canaryP99 !== undefined && canaryP99 > limit),
  );
  const argo = minutes.filter(
    ({ canaryP99 = NaN, baselineP99 = NaN, canaryErrors = 0 }) =>
      canaryP99 / baselineP99 > 1.1 || canaryErrors > 0.01,
  );
  return { kayenta: kayentaFails(minutes), flagger: flagger.length >= 5, argo: argo.length > 3 };
}

function kayentaFails(minutes: readonly Minute[]): boolean {
  const seen = (values: readonly (number | undefined)[]): readonly number[] =>
    values.filter((value) => value !== undefined);
  for (let end = 10; end <= minutes.length; end += 10) {
    const part = minutes.slice(0, end);
    const p99 = classify(seen(part.map((m) => m.baselineP99)), seen(part.map((m) => m.canaryP99)));
    const errors = classify(seen(part.map((m) => m.baselineErrors)), seen(part.map((m) => m.canaryErrors)));
    if (p99 === 'high' || errors === 'high') return true;
  }
  return false;
}

const layout = layoutOf({ schema: simulatedSchema });

function minutesOf(windows: readonly Window[], windowSeconds: number): readonly Minute[] {
  const perMinute = Math.max(1, Math.round(60 / windowSeconds));
  const minutes: Minute[] = [];
  for (let i = 0; i < windows.length; i += perMinute) minutes.push(minuteOf(windows.slice(i, i + perMinute)));
  return minutes;
}

function minuteOf(windows: readonly Window[]): Minute {
  const arms = {
    canary: { histogram: emptyHistogram(), requests: 0, errors: 0 },
    baseline: { histogram: emptyHistogram(), requests: 0, errors: 0 },
  };
  for (const { arm, durations, requests, errors } of windows.flatMap(({ cells }) => cells)) {
    if (arm !== 'canary' && arm !== 'baseline') continue;
    if (durations) addCounts(arms[arm].histogram, durations);
    arms[arm].requests += requests;
    arms[arm].errors += errors;
  }
  const p99 = (arm: keyof typeof arms): number | undefined => {
    const found = quantile(arms[arm].histogram, layout, 0.99);
    return found && Math.exp(found.ln);
  };
  const ratio = ({ requests, errors }: { requests: number; errors: number }): number | undefined =>
    requests > 0 ? errors / requests : undefined;
  return {
    canaryP99: p99('canary'),
    baselineP99: p99('baseline'),
    canaryErrors: ratio(arms.canary),
    baselineErrors: ratio(arms.baseline),
  };
}
