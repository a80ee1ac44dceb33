// In: verdicts as they are made. Out: gauges of the latest of each comparison, for templates and alerts.
import { nobody } from '@plumbline/verdict';
import type { Family, Sample } from '../exposition/families.ts';
import type { VerdictAnswer } from '../history/answer.ts';

export interface Gauges {
  readonly families: readonly Family[];
  /** Takes a verdict that names a version; the first that names both ends those that lacked one. */
  readonly set: (answer: VerdictAnswer, unixMs: number) => void;
}

const words = ['pass', 'marginal', 'fail', 'skewed', 'inconclusive'] as const;
/** Comparisons that nobody has asked for in so long are over. */
const keepMs = 600_000;
/** More than a cluster has rollouts: whoever makes names up does not fill the memory. */
const mostComparisons = 1000;

/** Returns gauges without a verdict. */
export const createGauges = (now: () => number = Date.now): Gauges => {
  const latest = new Map<string, { answer: VerdictAnswer; unixMs: number }>();
  const samples = (read: (answer: VerdictAnswer, unixMs: number) => readonly Sample[]) => () => {
    for (const [key, { unixMs }] of latest) if (unixMs < now() - keepMs) latest.delete(key);
    return [...latest.values()].flatMap(({ answer, unixMs }) => read(answer, unixMs));
  };
  const delta = (bound: 'relative' | 'lower' | 'upper') =>
    samples((answer) =>
      answer.delta === null
        ? []
        : [{ labels: { ...labelsOf(answer), metric: answer.delta.metric }, value: answer.delta[bound] }],
    );
  return {
    set: (answer, unixMs) => {
      const unknown = unknownArms(answer);
      if (unknown === 2) return;
      const key = JSON.stringify(labelsOf(answer));
      latest.delete(key);
      if (unknown === 0)
        for (const [other, { answer: before }] of latest)
          if (unknownArms(before) > 0 && isSameApp(before, answer)) latest.delete(other);
      latest.set(key, { answer, unixMs });
      const [oldest] = latest.keys();
      if (latest.size > mostComparisons && oldest !== undefined) latest.delete(oldest);
    },
    families: [
      {
        name: 'plumbline_verdict',
        help: 'One for the word of the latest verdict, zero for the others.',
        type: 'gauge',
        samples: samples((answer) =>
          words.map((verdict) => ({
            labels: { ...labelsOf(answer), verdict },
            value: answer.verdict === verdict ? 1 : 0,
          })),
        ),
      },
      {
        name: 'plumbline_verdict_score',
        help: 'Latest verdict as a score: 100 pass, 95 skewed and safe, 80 marginal, 75 inconclusive, 0 fail.',
        type: 'gauge',
        samples: samples((answer) => [{ labels: labelsOf(answer), value: answer.score }]),
      },
      {
        name: 'plumbline_verdict_delta_ratio',
        help: 'Slowdown of the canary at the quantile that was judged, nodes held equal (0.2 is 20 %).',
        type: 'gauge',
        samples: delta('relative'),
      },
      {
        name: 'plumbline_verdict_delta_lower_ratio',
        help: 'Lower bound of that slowdown.',
        type: 'gauge',
        samples: delta('lower'),
      },
      {
        name: 'plumbline_verdict_delta_upper_ratio',
        help: 'Upper bound of that slowdown.',
        type: 'gauge',
        samples: delta('upper'),
      },
      {
        name: 'plumbline_verdict_timestamp_seconds',
        help: 'When the latest verdict was made.',
        type: 'gauge',
        samples: samples((answer, unixMs) => [{ labels: labelsOf(answer), value: unixMs / 1000 }]),
      },
    ],
  };
};

const unknownArms = ({ canary, baseline }: VerdictAnswer): number =>
  [canary, baseline].filter((version) => version === nobody).length;

const isSameApp = (a: VerdictAnswer, b: VerdictAnswer): boolean =>
  a.app === b.app && a.namespace === b.namespace;

const labelsOf = ({ namespace, app, canary, baseline }: VerdictAnswer) => ({
  namespace: namespace ?? '',
  app,
  canary,
  baseline,
});
