// What each query of the panel is for. In: a refId, and what the options say of it. Out: its role.

/** What a query gives. All are running totals without rate() or increase(), but for the gauges. */
export type Role = keyof typeof queries;

/**
 * PromQL for each role, with `$namespace` and `$app` as dashboard variables. Running totals are wanted because the
 * panel takes differences itself: whatever the step is, windows then never overlap and no request is counted twice.
 */
export const queries = {
  durations: 'sum by (version, node, le) (plumbline_http_request_duration_seconds_bucket{SELECTOR})',
  net: 'sum by (version, node, le) (plumbline_http_request_net_duration_seconds_bucket{SELECTOR})',
  requests: 'sum by (version, node, code) (plumbline_http_request_duration_seconds_count{SELECTOR})',
  delay: 'sum by (version, node) (plumbline_http_request_sched_delay_seconds_total{SELECTOR})',
  runqueue:
    'histogram_quantile(0.95, sum by (version, node, le) (rate(plumbline_runqueue_wait_seconds_bucket{SELECTOR}[$__rate_interval])))',
  stolen: 'sum by (version, node) (plumbline_cpu_stolen_seconds_total{SELECTOR})',
  throttled: 'sum by (version, node) (plumbline_cpu_throttled_seconds_total{SELECTOR})',
  pressure:
    'sum by (version, node) (plumbline_pressure_seconds_total{SELECTOR, resource="cpu", kind="some"})',
  blame:
    'sum by (version, node, culprit_namespace, culprit_app, culprit_version) (plumbline_cpu_blame_seconds_total{SELECTOR})',
  cpu: 'sum by (version, node) (plumbline_cpu_seconds_total{SELECTOR})',
  memory: 'sum by (version, node) (plumbline_memory_bytes{SELECTOR})',
  retransmits: 'sum by (version, node) (plumbline_tcp_retransmits_total{SELECTOR})',
  failures: 'sum by (version, node) (plumbline_tcp_connections_failed_total{SELECTOR})',
} as const;

/** The labels that tell the series of a role apart. */
export const labelsOf: Readonly<Record<Role, readonly string[]>> = {
  durations: ['version', 'node', 'le'],
  net: ['version', 'node', 'le'],
  requests: ['version', 'node', 'code'],
  delay: ['version', 'node'],
  runqueue: ['version', 'node'],
  stolen: ['version', 'node'],
  throttled: ['version', 'node'],
  pressure: ['version', 'node'],
  blame: ['version', 'node', 'culprit_namespace', 'culprit_app', 'culprit_version'],
  cpu: ['version', 'node'],
  memory: ['version', 'node'],
  retransmits: ['version', 'node'],
  failures: ['version', 'node'],
};

/** One query's meaning: a role, a quantile that was computed elsewhere, or a part of a signal of the user's own. */
export type Meaning =
  | { readonly kind: 'role'; readonly role: Role }
  | { readonly kind: 'quantile'; readonly p: number }
  | { readonly kind: 'signal'; readonly name: string; readonly part: SignalPart };

/** `events` of `trials` make a ratio, `sum` by `count` a mean. */
export type SignalPart = 'events' | 'trials' | 'sum' | 'count';

/** Returns the query of a role, as it can be pasted into Grafana. */
export function queryOf(role: Role): string {
  return queries[role].replace('SELECTOR', 'namespace=~"$namespace", app="$app"');
}

/**
 * Returns what a query is for: `durations`, `p99` or `signal conversion events`, by its refId or, where `assigned`
 * says so, in its stead; undefined when that is none of these.
 */
export function meaningOf(refId: string, assigned: ReadonlyMap<string, string>): Meaning | undefined {
  const words = (assigned.get(refId) ?? refId).trim().split(/\s+/);
  const [first = ''] = words;
  const name = first.toLowerCase();
  if (name in queries) return { kind: 'role', role: name as Role };
  const quantile = /^p(\d{2,4})$/.exec(name);
  if (quantile) return { kind: 'quantile', p: Number(`0.${quantile[1] ?? ''}`) };
  const part = words.at(-1)?.toLowerCase();
  if (name === 'signal' && words.length > 2 && isPart(part)) {
    return { kind: 'signal', name: words.slice(1, -1).join(' '), part };
  }
  return undefined;
}

/** Reads the option `A=durations, B=requests`. */
export function parseAssigned(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(',').flatMap((pair) => {
      const [refId = '', meaning = ''] = pair.split('=').map((part) => part.trim());
      return refId !== '' && meaning !== '' ? [[refId, meaning] as const] : [];
    }),
  );
}

function isPart(word: string | undefined): word is SignalPart {
  return word === 'events' || word === 'trials' || word === 'sum' || word === 'count';
}
