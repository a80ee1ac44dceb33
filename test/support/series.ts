// In: readings of the agent's series. Out: what one app did, in few words.
import { mergedCounts, type JsonHistogram, type JsonSeries } from '../../agent/src/series/json.ts';
import { quantileSeconds } from '../../agent/src/series/native.ts';

const durations = 'plumbline_http_request_duration_seconds';
const netDurations = 'plumbline_http_request_net_duration_seconds';

const turnarounds = 'plumbline_turnaround_seconds';

/** Requests of an app by status class, such as { '2xx': 3 }. */
export const requestsByCode = (series: JsonSeries, app: string): Record<string, number> =>
  Object.fromEntries(
    of(series, durations, app).map(({ labels, counts }) => [
      labels.code ?? '',
      counts.reduce((total, count) => total + count, 0),
    ]),
  );

/** Turns of an app by transport, such as { tls: 3 }. */
export const turnsByTransport = (series: JsonSeries, app: string): Record<string, number> =>
  Object.fromEntries(
    of(series, turnarounds, app).map(({ labels, counts }) => [
      labels.transport ?? '',
      counts.reduce((total, count) => total + count, 0),
    ]),
  );

/** Requests of an app by protocol and status class, such as { 'http2 2xx': 3 }. */
export const requestsByProtocol = (series: JsonSeries, app: string): Record<string, number> =>
  Object.fromEntries(
    of(series, durations, app).map(({ labels, counts }) => [
      `${labels.protocol ?? ''} ${labels.code ?? ''}`,
      counts.reduce((total, count) => total + count, 0),
    ]),
  );

const missed = [
  'plumbline_http_unanswered_total',
  'plumbline_http_unmatched_responses_total',
  'plumbline_http_unseen_answers_total',
  'plumbline_http2_unseen_requests_total',
  'plumbline_http2_lost_total',
] as const;

/** Requests by protocol and status class, and what was missed, such as { 'http2_lost_total in': 1 }; zeros left out. */
export const http2Counts = (series: JsonSeries, app: string): Record<string, number> => {
  const counts = missed.flatMap((name) =>
    (series.counters[name] ?? [])
      .filter(({ labels }) => labels.app === app)
      .map(({ labels, value }) => [
        `${name.replace('plumbline_', '')} ${labels.direction ?? labels.protocol ?? ''}`,
        value,
      ]),
  );
  return { ...requestsByProtocol(series, app), ...(Object.fromEntries(counts) as Record<string, number>) };
};

/** Requests of all versions of an app. */
export const requestCount = (series: JsonSeries, app: string): number =>
  of(series, durations, app)
    .flatMap(({ counts }) => counts)
    .reduce((total, count) => total + count, 0);

export const counter = (series: JsonSeries, name: string, app: string): number =>
  (series.counters[name] ?? [])
    .filter(({ labels }) => labels.app === app)
    .reduce((total, { value }) => total + value, 0);

export const sumSeconds = (series: JsonSeries, app: string): number =>
  of(series, durations, app).reduce((total, one) => total + one.sumSeconds, 0);

/** Quantile of an app's durations, or of its net durations, over all codes. */
export const quantile = (series: JsonSeries, app: string, q: number, isNet = false): number => {
  const histograms = of(series, isNet ? netDurations : durations, app);
  return quantileSeconds(mergedCounts(histograms), q);
};

const of = (series: JsonSeries, metric: string, app: string): readonly JsonHistogram[] =>
  (series.histograms[metric] ?? []).filter(({ labels }) => labels.app === app);
