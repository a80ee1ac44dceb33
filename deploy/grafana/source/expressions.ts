// Metric names and labels in; PromQL out, the same for classic and native histograms: one of the two sides of an `or` is empty.
import { labelsOf, queryOf, type Role } from '../../../grafana-plugin/src/frames/roles.ts';

export const durations = 'plumbline_http_request_duration_seconds';
export const netDurations = 'plumbline_http_request_net_duration_seconds';
export const delay = 'plumbline_http_request_sched_delay_seconds_total';

/** The chosen app, all its versions; and of those, the two that are compared. */
export const app = 'namespace=~"$namespace", app="$app"';
export const arms = `${app}, version=~"$canary|$baseline"`;

const recent = '[$__rate_interval]';

/** Increase a second, by labels. */
export const rate = (metric: string, by: string, selector: string, range = recent): string =>
  `sum by (${by}) (rate(${metric}{${selector}}${range}))`;

/** Observations of a histogram a second, by labels. */
export const observations = (histogram: string, by: string, selector: string, range = recent): string =>
  `sum by (${by}) (rate(${histogram}_count{${selector}}${range}) or histogram_count(rate(${histogram}{${selector}}${range})))`;

/** Sum of a histogram's observations a second, by labels. */
export const sums = (histogram: string, by: string, selector: string, range = recent): string =>
  `sum by (${by}) (rate(${histogram}_sum{${selector}}${range}) or histogram_sum(rate(${histogram}{${selector}}${range})))`;

/** Quantile of a histogram, by labels. */
export const quantile = (
  q: number,
  histogram: string,
  by: string,
  selector: string,
  range = recent,
): string =>
  `histogram_quantile(${q}, sum by (${by}, le) (rate(${histogram}_bucket{${selector}}${range})) or sum by (${by}) (rate(${histogram}{${selector}}${range})))`;

/** Share of the requests' time that was spent waiting for a CPU. */
export const delayShare = (by: string, selector: string, range = recent): string =>
  `${rate(delay, by, selector, range)} / ${sums(durations, by, selector, range)}`;

/** Share of answers of class 5xx and of failed gRPC calls; 0 where there are none. */
export const errorRatio = (by: string, selector: string, range = recent): string => {
  const all = observations(durations, by, selector, range);
  const bad = observations(durations, by, `${selector}, code=~"5xx|grpc_error"`, range);
  return `(${bad} or 0 * ${all}) / ${all}`;
};

/** A role's query as the panel documents it, for histograms of either kind. */
export const roleQuery = (role: Role): string => {
  const classic = queryOf(role);
  if (labelsOf[role].includes('le')) {
    return `${classic} or ${classic.replace('_bucket', '').replace(', le', '')}`;
  }
  const ofRates = /sum by \((.*), le\) \(rate\((\w+)_bucket(.*?\])\)\)/;
  if (ofRates.test(classic)) return classic.replace(ofRates, '$& or sum by ($1) (rate($2$3))');
  const counted = /^(.*\()(\w+)_count(\{.*\})\)$/.exec(classic);
  if (counted === null) return classic;
  const [, start = '', metric = '', selector = ''] = counted;
  return `${start}${metric}_count${selector} or histogram_count(${metric}${selector}))`;
};
