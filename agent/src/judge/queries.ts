// In: an app and its versions. Out: the PromQL that the judge asks with. Pure.
import { metricNames } from '../series/names.ts';

/** Names of the labels, where Prometheus renames ours. */
export interface LabelNames {
  readonly namespace: string;
  readonly app: string;
  readonly version: string;
  readonly node: string;
}

/**
 * What the queries are about; `versions` empty means all. Where an app is a label value for each version, as Flagger
 * has it (podinfo, podinfo-primary), `labels.version` is the app label and `app` undefined.
 */
export interface Scope {
  readonly labels: LabelNames;
  readonly namespace: string | undefined;
  readonly app: string | undefined;
  readonly versions: readonly string[];
}

/** Requests since each series began, by namespace, version and node. */
export const requestsQuery = (scope: Scope, native: boolean): string => {
  const { namespace, version, node } = scope.labels;
  const by = `sum by (${namespace}, ${version}, ${node})`;
  return native
    ? `${by} (histogram_count(${metricNames.duration}{${matchers(scope)}}))`
    : `${by} (${metricNames.duration}_count{${matchers(scope)}})`;
};

/** Requests that failed, likewise. */
export const errorsQuery = (scope: Scope, native: boolean): string => {
  const selector = `{${matchers(scope, 'code=~"5xx|grpc_error"')}}`;
  return native
    ? `${byVersion(scope)} (histogram_count(${metricNames.duration}${selector}))`
    : `${byVersion(scope)} (${metricNames.duration}_count${selector})`;
};

/** Seconds that requests were runnable but not running, likewise. */
export const delayQuery = (scope: Scope): string =>
  `${byVersion(scope)} (${metricNames.schedDelay}{${matchers(scope)}})`;

/** Seconds of CPU time used, likewise. */
export const cpuQuery = (scope: Scope): string =>
  `${byVersion(scope)} (${metricNames.cpu}{${matchers(scope)}})`;

/** How many durations or net durations each classic bucket holds, over all versions: which bounds are of use. */
export const boundsQuery = (scope: Scope, metric: Histogram): string =>
  `sum by (le) (${metricNames[metric]}_bucket{${matchers(scope)}})`;

/**
 * Classic buckets, of the bounds in `les` alone. They are summed by us: of thousands of series at dozens of moments,
 * Prometheus takes six times as long to sum them as to give them.
 */
export const classicQuery = (scope: Scope, metric: Histogram, les: readonly string[]): string =>
  `${metricNames[metric]}_bucket{${matchers(scope, `le=~${regex([...les, '+Inf'])}`)}}`;

/** Native histograms. */
export const nativeQuery = (scope: Scope, metric: Histogram): string =>
  `${byVersion(scope)} (${metricNames[metric]}{${matchers(scope)}})`;

/** Signs of contention that each version met on each node, in the units of the verdict's input. */
export const contentionQueries = (scope: Scope, native: boolean, windowSeconds: number) => {
  const { version, node } = scope.labels;
  const selector = (...more: readonly string[]) =>
    `{${matchers(scope, ...more)}}[${Math.max(windowSeconds, leastRateSeconds)}s]`;
  const waits = native
    ? `${byVersion(scope)} (rate(plumbline_runqueue_wait_seconds${selector()}))`
    : `sum by (${version}, ${node}, le) (rate(plumbline_runqueue_wait_seconds_bucket${selector()}))`;
  const used = `${byVersion(scope)} (rate(${metricNames.cpu}${selector()}))`;
  const stolen = `${byVersion(scope)} (rate(${metricNames.stolen}${selector()}))`;
  return {
    runqueueP95Seconds: `histogram_quantile(0.95, ${waits})`,
    throttledShare: `${byVersion(scope)} (rate(plumbline_cpu_throttled_seconds_total${selector()}))`,
    cpuPressureShare: `${byVersion(scope)} (rate(plumbline_pressure_seconds_total${selector('resource="cpu"', 'kind="some"')}))`,
    stealShare: `${stolen} / (${stolen} + ${used})`,
  } as const;
};

/**
 * Seconds for which each version waited on each node for a CPU, by who held it. They are not summed here: a culprit that is
 * no longer named takes its seconds with it, and a sum that falls looks like an agent that has started again.
 */
export const waitQuery = (scope: Scope): string => {
  const { version, node } = scope.labels;
  const by = `${version}, ${node}, culprit_namespace, culprit_app, culprit_version`;
  return `sum by (${by}) (${metricNames.blame}{${matchers(scope)}})`;
};

/** Whether a series of that query is a version's wait for itself. */
export const isOwnWait =
  ({ app, namespace, labels }: Scope) =>
  (metric: Readonly<Record<string, string>>): boolean => {
    const { culprit_namespace, culprit_app, culprit_version } = metric;
    const version = metric[labels.version];
    if (namespace !== undefined && culprit_namespace !== namespace) return false;
    return app === undefined ? culprit_app === version : culprit_app === app && culprit_version === version;
  };

/** A rate needs two scrapes, however far apart they are. */
const leastRateSeconds = 120;

export type Histogram = 'duration' | 'netDuration';

const byVersion = ({ labels: { version, node } }: Scope): string => `sum by (${version}, ${node})`;

const matchers = ({ labels, namespace, app, versions }: Scope, ...more: readonly string[]): string =>
  [
    ...(namespace === undefined ? [] : [`${labels.namespace}=${quoted(namespace)}`]),
    ...(app === undefined ? [] : [`${labels.app}=${quoted(app)}`]),
    ...(versions.length === 0 ? [] : [`${labels.version}=~${regex(versions)}`]),
    ...more,
  ].join(', ');

const regex = (values: readonly string[]): string =>
  quoted(values.map((value) => value.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')).join('|'));

/** A PromQL string. JSON escapes as Go does. */
const quoted = (value: string): string => JSON.stringify(value);
