// In: the judge's queries and a live Prometheus. Out: what each gives, and what is wrong with those that give nothing.
import { metricNames } from '../series/names.ts';
import { PrometheusError, type Prometheus, type PrometheusSeries } from './prometheus.ts';
import { errorsQuery, requestsQuery, type LabelNames, type Scope } from './queries.ts';
import { signalQuery, type SignalConfig } from './signals.ts';

export interface QueryFinding {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'wrong';
  readonly found: string;
}

/** Asks every query once, for one app or for all, in one namespace or in all. */
export const checkQueries = async (
  prometheus: Prometheus,
  { app, namespace }: { readonly app?: string | undefined; readonly namespace?: string | undefined },
  labels: LabelNames,
  signals: readonly SignalConfig[],
  windowSeconds: number,
): Promise<readonly QueryFinding[]> => {
  const scope: Scope = { labels, namespace, app, versions: [] };
  const own = await Promise.all([
    checkEither(
      prometheus,
      'requests',
      [requestsQuery(scope, false), requestsQuery(scope, true)],
      labels,
      true,
    ),
    checkEither(prometheus, 'errors', [errorsQuery(scope, false), errorsQuery(scope, true)], labels, false),
    ...(['netDuration', 'schedDelay'] as const).map((key) => checkMetric(prometheus, metricNames[key])),
  ]);
  const ofSignals = signals.flatMap(({ name, numerator, denominator }) =>
    (
      [
        ['numerator', numerator],
        ['denominator', denominator],
      ] as const
    ).map(([part, template]) =>
      checkSignal(
        prometheus,
        `${name} ${part}`,
        signalQuery(template, { app: app ?? '', namespace }, windowSeconds),
        labels,
      ),
    ),
  );
  return [...own, ...(await Promise.all(ofSignals))];
};

const ask = async (prometheus: Prometheus, promql: string): Promise<readonly PrometheusSeries[] | string> => {
  try {
    return await prometheus.query(promql);
  } catch (error) {
    if (error instanceof PrometheusError) return error.message;
    throw error;
  }
};

/** Classic histograms or native ones: one of them has to be there. */
const checkEither = async (
  prometheus: Prometheus,
  name: string,
  queries: readonly string[],
  labels: LabelNames,
  isNeeded: boolean,
): Promise<QueryFinding> => {
  let problem = '';
  for (const promql of queries) {
    const series = await ask(prometheus, promql);
    if (typeof series === 'string') problem ||= series;
    else if (series.length > 0) return describeLabels(name, series, labels);
  }
  if (problem !== '') return { name, status: 'wrong', found: problem };
  const found = isNeeded
    ? `no series: does Prometheus scrape the agents, and has the app had requests?`
    : 'no series: no request has failed yet';
  return { name, status: isNeeded ? 'wrong' : 'ok', found };
};

const describeLabels = (
  name: string,
  series: readonly PrometheusSeries[],
  { version, node }: LabelNames,
): QueryFinding => {
  const lacking = [version, node].filter(
    (label) => !series.some(({ metric }) => metric[label] !== undefined),
  );
  if (lacking.length > 0)
    return {
      name,
      status: 'wrong',
      found: `${series.length} series, none with a label ${lacking.join(' or ')}`,
    };
  const [versions, nodes] = [version, node].map(
    (label) => new Set(series.map(({ metric }) => metric[label])).size,
  );
  return { name, status: 'ok', found: `${versions ?? 0} versions on ${nodes ?? 0} nodes` };
};

const checkMetric = async (prometheus: Prometheus, metric: string): Promise<QueryFinding> => {
  const series = await ask(prometheus, `count({__name__=~"${metric}(_count)?"})`);
  if (typeof series === 'string') return { name: metric, status: 'wrong', found: series };
  const count = series[0]?.values?.[0]?.[1];
  return count === undefined
    ? {
        name: metric,
        status: 'warning',
        found: 'no series: node and code are told apart by shared nodes alone',
      }
    : { name: metric, status: 'ok', found: `${count} series` };
};

const checkSignal = async (
  prometheus: Prometheus,
  name: string,
  promql: string,
  labels: LabelNames,
): Promise<QueryFinding> => {
  const series = await ask(prometheus, promql);
  if (typeof series === 'string') return { name, status: 'wrong', found: series };
  if (series.length > 0) {
    const isByVersion = series.every(({ metric }) => metric[labels.version] !== undefined);
    if (!isByVersion)
      return {
        name,
        status: 'wrong',
        found: `a series without the label ${labels.version}: sum by (${labels.version}, ${labels.node})`,
      };
    const isByNode = series.every(({ metric }) => metric[labels.node] !== undefined);
    return isByNode
      ? describeLabels(name, series, labels)
      : { name, status: 'warning', found: `no label ${labels.node}: compared over all nodes together` };
  }
  const unknown = await unknownMetrics(prometheus, promql);
  return {
    name,
    status: 'wrong',
    found: unknown.length > 0 ? `unknown metric ${unknown.join(', ')}` : 'an empty result',
  };
};

/** Names in a query that could be metrics and that have no series. */
const unknownMetrics = async (prometheus: Prometheus, promql: string): Promise<readonly string[]> => {
  const bare = promql.replace(/"(?:[^"\\]|\\.)*"|\{[^}]*\}|\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, ' ');
  const names = [...bare.matchAll(/[a-zA-Z_:][\w:]*(?!\s*\()\b/g)]
    .map(([name]) => name)
    .filter((name) => name.includes('_') && !new RegExp(`\\b${name}\\s*\\(`).test(bare));
  const counts = await Promise.all(names.map((name) => ask(prometheus, `count(${name})`)));
  return names.filter((_, i) => counts[i]?.length === 0);
};
