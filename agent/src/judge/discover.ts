// In: an app, and versions that may have been named. Out: what is compared, and since when; or why nothing can be.
import { nobody, pickArms, type Reason, type SeenVersion } from '@plumbline/verdict';
import { column } from './histograms.ts';
import type { Prometheus, PrometheusSeries, Steps } from './prometheus.ts';
import { PrometheusError } from './prometheus.ts';
import { requestsQuery, type LabelNames, type Scope } from './queries.ts';

/** What a client said; all but the app may be left open. */
export interface Wanted {
  readonly app: string;
  /** Whether versions differ in their version label, or in their app label as Flagger's do. */
  readonly by?: 'version' | 'app' | undefined;
  readonly namespace?: string | undefined;
  readonly canary?: string | undefined;
  readonly baseline?: string | undefined;
}

/** What is compared. */
export interface Found {
  readonly namespace: string | undefined;
  readonly canary: string;
  readonly baseline: string;
  /** Unix seconds of the canary's first sample; undefined without one. */
  readonly canarySince: number | undefined;
  readonly native: boolean;
  /** Why there will be nothing to judge; undefined if there may be. */
  readonly obstacle: Obstacle | undefined;
}

interface Obstacle {
  readonly reason: Reason;
  readonly message: string;
}

/** Looks which versions of the app there were in `steps`. */
export const discover = async (
  prometheus: Prometheus,
  wanted: Wanted,
  labels: LabelNames,
  steps: Steps,
): Promise<Found> => {
  const scope = scopeOf(wanted, labels);
  const classic = await prometheus.queryRange(requestsQuery(scope, false), steps);
  const native = classic.length === 0 ? await nativeRequests(prometheus, scope, steps) : [];
  return { ...compare(wanted, scope.labels, steps, [...classic, ...native]), native: native.length > 0 };
};

/** What the queries are about, before more than the wish is known. */
export const scopeOf = ({ app, by, namespace, canary, baseline }: Wanted, labels: LabelNames): Scope =>
  by === 'app'
    ? {
        labels: { ...labels, version: labels.app },
        app: undefined,
        namespace,
        versions: [canary, baseline].filter((name) => name !== undefined),
      }
    : { labels, app, namespace, versions: [] };

/** A Prometheus that knows no native histograms has none. */
const nativeRequests = async (prometheus: Prometheus, scope: Scope, steps: Steps) => {
  try {
    return await prometheus.queryRange(requestsQuery(scope, true), steps);
  } catch (error) {
    if (error instanceof PrometheusError && error.isRefusal) return [];
    throw error;
  }
};

/** Fills in what was not said, from the versions that were seen. */
export const compare = (
  wanted: Wanted,
  labels: LabelNames,
  steps: Steps,
  series: readonly PrometheusSeries[],
): Omit<Found, 'native'> => {
  const namespaces = new Set(series.map(({ metric }) => metric[labels.namespace] ?? ''));
  const [only] = namespaces;
  const namespace = wanted.namespace ?? (namespaces.size === 1 ? only : undefined);
  const versions = seenVersions(series, labels, steps);
  const { canary, baseline } = pickArms(versions, steps.begin, wanted);
  const canarySince = versions.find(({ version }) => version === canary)?.firstSeen;
  return { namespace, canary, baseline, canarySince, obstacle: obstacle() };

  function obstacle(): Obstacle | undefined {
    if (wanted.namespace === undefined && namespaces.size > 1)
      return {
        reason: 'NAMESPACE_NEEDED',
        message: `Several namespaces have this app: ${list([...namespaces])}. Name one.`,
      };
    const seen = versions.map(({ version }) => version);
    if (seen.includes(canary) && seen.includes(baseline)) return undefined;
    return {
      reason: reasonOf(canary, seen),
      message:
        seen.length === 0 && series.length > 0
          ? `No request of "${wanted.app}" has a label ${labels.version}.`
          : describeLack([canary, baseline], seen, wanted),
    };
  }
};

const reasonOf = (canary: string, seen: readonly string[]): Reason => {
  if (seen.length === 0) return 'NO_TRAFFIC';
  return seen.includes(canary) ? 'NO_BASELINE' : 'NO_CANARY_TRAFFIC';
};

const describeLack = (
  asked: readonly string[],
  seen: readonly string[],
  { app, namespace }: Wanted,
): string => {
  const where = namespace === undefined ? '' : ` in namespace "${namespace}"`;
  if (seen.length === 0) return `Prometheus has no request of an app "${app}"${where} in this time.`;
  const lacking = asked.filter((version) => !seen.includes(version));
  return lacking.includes(nobody)
    ? `Only one version has had requests in this time: ${list(seen)}.`
    : `Without a request in this time: ${list(lacking)}. Versions with requests: ${list(seen)}.`;
};

/** Versions by age; requests are those of the steps at hand. */
const seenVersions = (
  series: readonly PrometheusSeries[],
  labels: LabelNames,
  steps: Steps,
): readonly SeenVersion[] => {
  const versions = new Map<string, SeenVersion>();
  for (const { metric, values = [] } of series) {
    const version = metric[labels.version] ?? '';
    // Pods without a version cannot be told from one another.
    if (version === '') continue;
    const own = column(values, steps).filter((value) => !Number.isNaN(value));
    const first = values[0]?.[0];
    if (first === undefined) continue;
    const before = versions.get(version) ?? { version, firstSeen: first, requests: 0 };
    versions.set(version, {
      version,
      firstSeen: Math.min(before.firstSeen, first),
      requests: before.requests + Math.max(0, (own.at(-1) ?? 0) - (own[0] ?? 0)),
    });
  }
  return [...versions.values()].sort((a, b) => a.firstSeen - b.firstSeen);
};

const list = (names: readonly string[]) => names.slice(0, 20).join(', ') || 'none';
