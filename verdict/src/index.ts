// The public face of the verdict: everything else may change without notice.
export { nobody, pickArms } from './arms.ts';
export type { Arms, SeenVersion } from './arms.ts';
export { layoutOf, nativeWidth } from './buckets.ts';
export type { Layout } from './buckets.ts';
export { VerdictInputError } from './checks.ts';
export {
  addCounts,
  emptyHistogram,
  merge,
  observationsOf,
  quantile,
  subtract,
  sumSeconds,
} from './histogram.ts';
export type { Histogram, Quantile } from './histogram.ts';
export { createJudge, judge, judgeCourse } from './judge.ts';
export type { Judge, Look } from './judge.ts';
export { defaultOptions } from './options.ts';
export type { JudgeOptions } from './options.ts';
export { exitCode, podAffinity, reasonSentence, report } from './report.ts';
export type * from './types.ts';
export { checkInput } from './validate.ts';
