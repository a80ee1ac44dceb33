// What was known at each look in; the course of one quantile's difference out.
import type { Look } from '@plumbline/verdict';
import type { Strip } from './model.ts';

/**
 * Returns the course of `judged`, the quantile that the verdict rests on, or of the highest that has an estimate at
 * the end; null before there is any.
 */
export function stripOf(
  looks: readonly Look[],
  judged: string | undefined,
  marginsOf: (metric: string) => Pick<Strip, 'failMargin' | 'passMargin'>,
): Strip | null {
  const known = looks.at(-1)?.metrics ?? [];
  const metric = (known.find((found) => found.metric === judged) ?? known.at(-1))?.metric;
  if (metric === undefined) return null;
  const course = looks.map(({ metrics }) => metrics.find((found) => found.metric === metric));
  return {
    metric,
    times: looks.map(({ end }) => end),
    adjusted: course.map((found) => found?.relative ?? null),
    lower: course.map((found) => found?.lower ?? null),
    upper: course.map((found) => found?.upper ?? null),
    raw: course.map((found) => found?.raw ?? null),
    ...marginsOf(metric),
  };
}
