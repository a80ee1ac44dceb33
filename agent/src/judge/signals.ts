// In: measures of the user's own, as PromQL. Out: the verdict's signals, by step.
import type { Signal, SignalCell } from '@plumbline/verdict';
import { addColumns, column } from './histograms.ts';
import { stepCount } from './increases.ts';
import type { Prometheus, PrometheusSeries, Steps } from './prometheus.ts';
import type { LabelNames } from './queries.ts';

/** A signal as configured: what it counts in one window, by version (and node, where that is known). */
export interface SignalConfig {
  readonly name: string;
  readonly kind: Signal['kind'];
  readonly better: Signal['better'];
  /** PromQL with $app, $namespace and $window. */
  readonly numerator: string;
  readonly denominator: string;
}

/** What is compared. */
export interface Subject {
  readonly app: string;
  readonly namespace: string | undefined;
  readonly canary: string;
  readonly baseline: string;
}

/** Fills in a signal's query. */
export const signalQuery = (
  template: string,
  { app, namespace = '' }: Pick<Subject, 'app' | 'namespace'>,
  windowSeconds: number,
): string => {
  // Within quotes already, as in app="$app".
  const inner = (value: string) => JSON.stringify(value).slice(1, -1);
  const values: Readonly<Record<string, string>> = {
    $app: inner(app),
    $namespace: inner(namespace),
    $window: `${windowSeconds}s`,
  };
  return template.replace(/\$(?:app|namespace|window)\b/g, (name) => values[name] ?? name);
};

/** Asks for all signals; one array of signals for each step. */
export const gatherSignals = async (
  prometheus: Prometheus,
  configs: readonly SignalConfig[],
  labels: LabelNames,
  subject: Subject,
  steps: Steps,
): Promise<readonly (readonly Signal[])[]> => {
  const bySignal = await Promise.all(
    configs.map(async ({ name, kind, better, numerator, denominator }) => {
      const [above, below] = await Promise.all(
        [numerator, denominator].map((template) =>
          prometheus.queryRange(signalQuery(template, subject, steps.seconds), steps),
        ),
      );
      const tops = sums(above ?? [], labels, subject, steps);
      const bottoms = sums(below ?? [], labels, subject, steps);
      return (step: number): Signal => ({
        name,
        kind,
        better,
        cells: [...bottoms.values()].flatMap(({ node, arm, values }): SignalCell[] => {
          const bottom = Math.round(values[step] ?? NaN);
          const top = tops.get(`${arm} ${node}`)?.values[step] ?? 0;
          if (!(bottom >= 0)) return [];
          // Prometheus extrapolates increases, so that they are not whole.
          const numeratorValue = kind === 'ratio' ? Math.round(top || 0) : top || 0;
          return [{ node, arm, numerator: Math.max(0, numeratorValue), denominator: bottom }];
        }),
      });
    }),
  );
  return Array.from({ length: stepCount(steps) }, (_, step) => bySignal.map((signalAt) => signalAt(step)));
};

interface Sum {
  readonly node: string;
  readonly arm: SignalCell['arm'];
  readonly values: Float64Array;
}

/** Sums by arm and node; other labels are added up, other versions left out. */
const sums = (
  series: readonly PrometheusSeries[],
  labels: LabelNames,
  { canary, baseline }: Subject,
  steps: Steps,
): ReadonlyMap<string, Sum> => {
  const found = new Map<string, Sum>();
  for (const { metric, values = [] } of series) {
    const version = metric[labels.version];
    const arm = version === canary ? 'canary' : version === baseline ? 'baseline' : undefined;
    if (arm === undefined) continue;
    const node = metric[labels.node] ?? `(${arm})`;
    const own = column(values, steps);
    const before = found.get(`${arm} ${node}`);
    const sum = before ? addColumns(before.values, own) : own;
    found.set(`${arm} ${node}`, { node, arm, values: sum });
  }
  return found;
};
