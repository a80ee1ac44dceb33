// In: measures of the user's own, as PromQL. Out: the verdict's signals, by step.
import type { Signal, SignalCell } from '@plumbline/verdict';
import { addColumns, column } from './histograms.ts';
import { stepCount } from './increases.ts';
import { PrometheusError, type Prometheus, type PrometheusSeries, type Steps } from './prometheus.ts';
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

/** Signals by step, and what about them nobody should have to guess. */
export interface GatheredSignals {
  readonly bySteps: readonly (readonly Signal[])[];
  readonly notes: readonly string[];
}

/** Asks for all signals. */
export const gatherSignals = async (
  prometheus: Prometheus,
  configs: readonly SignalConfig[],
  labels: LabelNames,
  subject: Subject,
  steps: Steps,
): Promise<GatheredSignals> => {
  const found = await Promise.all(
    configs.map(async (config) => {
      const ask = (part: Part) => askPart(prometheus, config, part, subject, steps);
      const [above, below] = await Promise.all([ask('numerator'), ask('denominator')]);
      if (typeof above === 'string') return { config, cells: [], notes: [above] };
      if (typeof below === 'string') return { config, cells: [], notes: [below] };
      return signalOf(config, above, below, labels, subject, steps);
    }),
  );
  return {
    bySteps: Array.from({ length: stepCount(steps) }, (_, step) =>
      found.map(({ config: { name, kind, better }, cells }) => ({
        name,
        kind,
        better,
        cells: cells[step] ?? [],
      })),
    ),
    notes: found.flatMap(({ notes }) => notes),
  };
};

type Part = 'numerator' | 'denominator';

/** The series of one part of a signal, or why Prometheus refuses its query: the other signals can still be judged. */
const askPart = async (
  prometheus: Prometheus,
  config: SignalConfig,
  part: Part,
  subject: Subject,
  steps: Steps,
): Promise<readonly PrometheusSeries[] | string> => {
  try {
    return await prometheus.queryRange(signalQuery(config[part], subject, steps.seconds), steps);
  } catch (error) {
    if (error instanceof PrometheusError && error.isRefusal)
      return `signal ${config.name} ${part}: ${error.message}.`;
    throw error;
  }
};

/**
 * One signal's cells by step. A counter's child that has never counted has no series, which a metric that is not there
 * has not either. So where events are bad, a version without any has none if another version has; everywhere else a
 * cell without a numerator is not known, and left out: nothing that is missing makes a canary look worse.
 */
const signalOf = (
  config: SignalConfig,
  above: readonly PrometheusSeries[],
  below: readonly PrometheusSeries[],
  labels: LabelNames,
  subject: Subject,
  steps: Steps,
) => {
  const { name, kind, better } = config;
  const tops = sums(above, labels, subject, steps);
  const bottoms = [...sums(below, labels, subject, steps).values()];
  const isKnown = above.some(({ metric }) => metric[labels.version] !== undefined);
  const absent = kind === 'ratio' && better === 'lower' && isKnown ? 0 : NaN;
  // Prometheus extrapolates increases, so that they are not whole.
  const numeratorOf = kind === 'ratio' ? Math.round : (value: number) => value;
  const cellAt = ({ node, arm, values }: Sum, step: number): SignalCell[] => {
    const denominator = Math.round(values[step] ?? NaN);
    const top = tops.get(`${arm} ${node}`)?.values[step] ?? NaN;
    const numerator = numeratorOf(Number.isNaN(top) ? absent : top);
    if (!(denominator >= 0 && denominator < Infinity && Math.abs(numerator) < Infinity)) return [];
    return [{ node, arm, numerator: Math.max(0, numerator), denominator }];
  };
  const cells = Array.from({ length: stepCount(steps) }, (_, step) =>
    bottoms.flatMap((bottom) => cellAt(bottom, step)),
  );
  const has = (arm: SignalCell['arm']) => cells.some((step) => step.some((cell) => cell.arm === arm));
  const without = arms.filter((arm) => !has(arm)).map((arm) => subject[arm]);
  const notes =
    without.length === 0
      ? []
      : [`signal ${name}: no data for ${without.join(' and ')}; see judge --check-queries.`];
  return { config, cells, notes };
};

const arms = ['canary', 'baseline'] as const;

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
