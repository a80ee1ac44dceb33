// A run in; its verdict, and how the estimate came about look by look, out.
import { createJudge } from '@plumbline/verdict';
import type { JudgeOptions, MetricVerdict, Verdict } from '@plumbline/verdict';
import type { Strip } from './model.ts';
import type { Run } from './run.ts';

/** What was known of each metric when a window had come. */
export interface Look {
  readonly end: number;
  readonly metrics: readonly MetricVerdict[];
}

/** More looks than this are not drawn; the verdict rests on all of them. */
const mostLooks = 180;

/**
 * Judges a run window by window.
 * @throws VerdictInputError, RangeError as `createJudge`.
 */
export function judgeWithLooks(
  run: Run,
  options: JudgeOptions,
): { readonly verdict: Verdict; readonly looks: readonly Look[] } {
  const judge = createJudge(run, options);
  const stride = Math.ceil(run.windows.length / mostLooks);
  const looks: Look[] = [];
  for (const [i, window] of run.windows.entries()) {
    judge.push(window);
    const isShown = (run.windows.length - 1 - i) % stride === 0;
    if (isShown) looks.push({ end: window.end, metrics: judge.verdict().metrics });
  }
  return { verdict: judge.verdict(run.now), looks };
}

/**
 * Returns the course of `wanted`, or of the highest quantile that has an estimate at the end; null before there is
 * any.
 */
export function stripOf(
  looks: readonly Look[],
  wanted: string,
  margins: Pick<Strip, 'failMargin' | 'passMargin'>,
): Strip | null {
  const known = looks.at(-1)?.metrics.filter(({ metric }) => /^p\d+$/.test(metric)) ?? [];
  const metric = (known.find((found) => found.metric === wanted) ?? known.at(-1))?.metric;
  if (metric === undefined) return null;
  const course = looks.map(({ metrics }) => metrics.find((found) => found.metric === metric));
  return {
    metric,
    times: looks.map(({ end }) => end),
    adjusted: course.map((found) => found?.relative ?? null),
    lower: course.map((found) => found?.lower ?? null),
    upper: course.map((found) => found?.upper ?? null),
    raw: course.map((found) => found?.raw ?? null),
    ...margins,
  };
}
