// In: two readings of an agent's series. Out: what each version did in between, as rows of a table. Pure.
import { mergedCounts, type JsonCounter, type JsonHistogram, type JsonSeries } from '../series/json.ts';
import { metricNames } from '../series/names.ts';
import { quantileSeconds } from '../series/native.ts';

/** One version of a service over a stretch of time. Quantiles are NaN without requests. */
export interface VersionRow {
  readonly namespace: string;
  readonly app: string;
  readonly version: string;
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** Answers of class 5xx, and gRPC calls that failed. */
  readonly errors: number;
  readonly p50Seconds: number;
  readonly p99Seconds: number;
  /** Quantiles of the durations less scheduler delay. */
  readonly netP50Seconds: number;
  readonly netP99Seconds: number;
  /** Part of all request durations that went by waiting for a CPU, 0 to 1. */
  readonly schedDelayShare: number;
}

type Labels = JsonCounter['labels'];

/** Rows sorted by app and version; versions without a request in between are there, with zeros. */
export const versionRows = (from: JsonSeries | undefined, to: JsonSeries): readonly VersionRow[] => {
  const { duration, netDuration, schedDelay } = metricNames;
  const elapsedSeconds = from === undefined ? NaN : (to.unixMs - from.unixMs) / 1000;
  const durations = increases(from?.histograms[duration], to.histograms[duration]);
  const netDurations = increases(from?.histograms[netDuration], to.histograms[netDuration]);
  const delays = counterIncreases(from?.counters[schedDelay], to.counters[schedDelay]);
  const versions = new Map(durations.map(({ labels }) => [versionKey(labels), labels]));
  return [...versions]
    .map(([key, { namespace = '', app = '', version = '' }]) => {
      const own = durations.filter(({ labels }) => versionKey(labels) === key);
      const ownNet = netDurations.filter(({ labels }) => versionKey(labels) === key);
      const requests = total(own);
      const delaySeconds = sum(
        delays.filter(({ labels }) => versionKey(labels) === key).map(({ value }) => value),
      );
      const durationSeconds = sum(own.map(({ sumSeconds }) => sumSeconds));
      return {
        namespace,
        app,
        version,
        requests,
        requestsPerSecond: requests / elapsedSeconds,
        errors: total(own.filter(({ labels: { code } }) => code === '5xx' || code === 'grpc_error')),
        p50Seconds: quantileSeconds(mergedCounts(own), 0.5),
        p99Seconds: quantileSeconds(mergedCounts(own), 0.99),
        netP50Seconds: quantileSeconds(mergedCounts(ownNet), 0.5),
        netP99Seconds: quantileSeconds(mergedCounts(ownNet), 0.99),
        schedDelayShare: durationSeconds > 0 ? delaySeconds / durationSeconds : 0,
      };
    })
    .sort((a, b) => a.app.localeCompare(b.app) || a.version.localeCompare(b.version));
};

/** Series that are new count from nothing, and so do those of an agent that has started again. */
const increases = (
  from: readonly JsonHistogram[] = [],
  to: readonly JsonHistogram[] = [],
): readonly JsonHistogram[] => {
  const before = new Map(from.map((series) => [seriesKey(series.labels), series]));
  return to.map((series) => {
    const earlier = before.get(seriesKey(series.labels));
    if (earlier === undefined || total([earlier]) > total([series])) return series;
    const shift = series.offset - earlier.offset;
    return {
      ...series,
      counts: series.counts.map((count, position) => count - (earlier.counts[position + shift] ?? 0)),
      sumSeconds: series.sumSeconds - earlier.sumSeconds,
    };
  });
};

const counterIncreases = (
  from: readonly JsonCounter[] = [],
  to: readonly JsonCounter[] = [],
): readonly JsonCounter[] => {
  const before = new Map(from.map(({ labels, value }) => [seriesKey(labels), value]));
  return to.map(({ labels, value }) => {
    const earlier = before.get(seriesKey(labels)) ?? 0;
    return { labels, value: earlier > value ? value : value - earlier };
  });
};

const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
const total = (histograms: readonly JsonHistogram[]) => sum(histograms.flatMap(({ counts }) => counts));
const versionKey = ({ namespace, app, version }: Labels) => JSON.stringify([namespace, app, version]);
const seriesKey = (labels: Labels) => JSON.stringify(Object.entries(labels).sort());
