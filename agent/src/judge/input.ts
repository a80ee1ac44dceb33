// In: what is compared, and since when. Out: the verdict's input, put together from a few queries.
import { observationsOf } from '@plumbline/verdict';
import type { Cell, Signal, VerdictInput, Window } from '@plumbline/verdict';
import {
  classicHistograms,
  column,
  nativeHistograms,
  usefulBounds,
  type Group,
  type Histograms,
} from './histograms.ts';
import { counterIncrease, histogramIncrease, stepCount } from './increases.ts';
import type { Prometheus, PrometheusSeries, Steps } from './prometheus.ts';
import {
  boundsQuery,
  classicQuery,
  contentionQueries,
  cpuQuery,
  delayQuery,
  errorsQuery,
  isOwnWait,
  nativeQuery,
  waitQuery,
  type Histogram,
  type Scope,
} from './queries.ts';
import type { GatheredSignals } from './signals.ts';

/** What the queries are made from. */
export interface InputOptions {
  readonly prometheus: Prometheus;
  readonly app: string;
  readonly scope: Scope;
  readonly canary: string;
  readonly baseline: string;
  readonly native: boolean;
  /** One step a window; their ends are multiples of the window, so that asking again gives the same windows. */
  readonly steps: Steps;
  readonly now: number;
  readonly signals: (steps: Steps) => Promise<GatheredSignals>;
}

/** The input, and what had to be left out of it. */
export interface Gathered {
  readonly input: VerdictInput;
  /** Windows of a node in which counters started again. */
  readonly resets: number;
  /** What is missing of signals. */
  readonly notes: readonly string[];
}

/** Asks for everything at once. */
export const gatherInput = async (options: InputOptions): Promise<Gathered> => {
  const { prometheus, app, scope, native, steps, canary, baseline, now } = options;
  const les = native ? [] : await askBounds(options);
  const contention = Object.entries(contentionQueries(scope, native, steps.seconds));
  const [durations, net, errors, delays, cpu, waits, signals, signs] = await Promise.all([
    histograms(options, 'duration', les),
    histograms(options, 'netDuration', les),
    prometheus.queryRange(errorsQuery(scope, native), steps),
    prometheus.queryRange(delayQuery(scope), steps),
    prometheus.queryRange(cpuQuery(scope), steps),
    prometheus.queryRange(waitQuery(scope), steps),
    options.signals(steps),
    Promise.all(contention.map(([, promql]) => prometheus.queryRange(promql, steps))),
  ]);
  const table = createTable(options, durations);
  table.addNet(net);
  table.addCounter('errors', errors);
  table.addCounter('schedDelaySeconds', delays);
  table.addCounter('cpuSeconds', cpu);
  table.addWaits(waits, isOwnWait(scope));
  contention.forEach(([sign], i) => {
    table.addContention(sign as Sign, signs[i] ?? []);
  });
  const { buckets } = durations;
  const hasBuckets = 'schema' in buckets || buckets.upperBounds.length > 0;
  const input = {
    app,
    canary,
    baseline,
    buckets: hasBuckets ? buckets : { schema: 3 },
    windowSeconds: steps.seconds,
    now: Math.max(now, steps.end),
    windows: table.windows(signals.bySteps),
  };
  return { input, resets: table.resets(), notes: signals.notes };
};

const histograms = async (
  { prometheus, scope, native, steps }: InputOptions,
  metric: Histogram,
  les: readonly string[],
): Promise<Histograms> =>
  native
    ? nativeHistograms(await prometheus.queryRange(nativeQuery(scope, metric), steps), steps)
    : classicHistograms(
        await prometheus.queryRange(classicQuery(scope, metric, les), steps),
        scope.labels,
        steps,
      );

/** Looks at a few moments only: which bounds are of use changes little. */
const askBounds = async ({ prometheus, scope, steps }: InputOptions): Promise<readonly string[]> => {
  const coarse = { ...steps, seconds: Math.max(steps.seconds, (steps.end - steps.begin) / 4) };
  const series = await Promise.all(
    (['duration', 'netDuration'] as const).map((metric) =>
      prometheus.queryRange(boundsQuery(scope, metric), coarse),
    ),
  );
  return usefulBounds(series);
};

type Arm = 'canary' | 'baseline';
type Sign = keyof NonNullable<Cell['contention']>;
type MutableCell = { -readonly [Key in keyof Cell]: Cell[Key] };

/** Cells by node, arm and window, filled measure by measure. */
const createTable = ({ scope, canary, steps }: InputOptions, durations: Histograms) => {
  const count = stepCount(steps);
  const { version, node } = scope.labels;
  const armOf = (labels: PrometheusSeries['metric']): Arm =>
    labels[version] === canary ? 'canary' : 'baseline';
  // Without a node label nothing is known to share a node.
  const nodeOf = (labels: PrometheusSeries['metric']) => labels[node] ?? `(${armOf(labels)})`;
  const rows = new Map<string, (MutableCell | undefined)[]>();
  const rowOf = (labels: PrometheusSeries['metric']) => rows.get(`${armOf(labels)} ${nodeOf(labels)}`);
  const seen = seenNodes(durations.groups, count, nodeOf);
  let resets = 0;

  for (const { labels, readings } of durations.groups) {
    const row: (MutableCell | undefined)[] = [];
    const name = nodeOf(labels);
    for (let step = 1; step < count; step++) {
      const found = histogramIncrease(readings, step, seen.get(name)?.[step - 1] ?? false);
      if (found === 'reset') resets += 1;
      if (found === undefined || found === 'reset') continue;
      const requests = observationsOf(found);
      row[step] = { node: name, arm: armOf(labels), requests, errors: 0, durations: found };
    }
    rows.set(`${armOf(labels)} ${name}`, row);
  }

  return {
    addCounter: (key: 'errors' | 'schedDelaySeconds' | 'cpuSeconds', series: readonly PrometheusSeries[]) => {
      for (const { metric, values = [] } of series) {
        const found = column(values, steps);
        rowOf(metric)?.forEach((cell, step) => {
          if (cell === undefined) return;
          const increase = counterIncrease(found, step);
          cell[key] = key === 'errors' ? Math.min(cell.requests, Math.round(increase)) : increase;
        });
      }
    },
    addNet: ({ buckets, groups }: Histograms) => {
      if (JSON.stringify(buckets) !== JSON.stringify(durations.buckets)) return;
      for (const { labels, readings } of groups) {
        rowOf(labels)?.forEach((cell, step) => {
          if (cell === undefined) return;
          const found = histogramIncrease(readings, step, true);
          if (found !== undefined && found !== 'reset') cell.netDurations = found;
        });
      }
    },
    addWaits: (
      series: readonly PrometheusSeries[],
      isOwn: (metric: PrometheusSeries['metric']) => boolean,
    ) => {
      for (const { metric, values = [] } of series) {
        const found = column(values, steps);
        const whose = isOwn(metric) ? 'ownSeconds' : 'othersSeconds';
        rowOf(metric)?.forEach((cell, step) => {
          if (cell === undefined) return;
          const before = cell.cpuWait ?? { ownSeconds: 0, othersSeconds: 0 };
          cell.cpuWait = { ...before, [whose]: before[whose] + counterIncrease(found, step) };
        });
      }
    },
    addContention: (sign: Sign, series: readonly PrometheusSeries[]) => {
      for (const { metric, values = [] } of series) {
        const found = column(values, steps);
        rowOf(metric)?.forEach((cell, step) => {
          const value = found[step] ?? NaN;
          if (cell !== undefined && value >= 0) cell.contention = { ...cell.contention, [sign]: value };
        });
      }
    },
    /** A window in which nothing was stored is a gap, and is not there. */
    windows: (signals: readonly (readonly Signal[])[]): Window[] =>
      Array.from({ length: count }, (_, step) => ({
        end: steps.begin + step * steps.seconds,
        cells: [...rows.values()].flatMap((row) => row[step] ?? []),
        signals: signals[step] ?? [],
      })).filter(({ cells }) => cells.length > 0),
    resets: () => resets,
  };
};

/** By node, at which steps anything of this app was stored. */
const seenNodes = (
  groups: readonly Group[],
  count: number,
  nodeOf: (labels: Group['labels']) => string,
): ReadonlyMap<string, readonly boolean[]> => {
  const seen = new Map<string, boolean[]>();
  for (const { labels, readings } of groups) {
    const own = seen.get(nodeOf(labels)) ?? new Array<boolean>(count).fill(false);
    seen.set(nodeOf(labels), own);
    readings.forEach((reading, step) => (own[step] ||= reading !== undefined));
  }
  return seen;
};
