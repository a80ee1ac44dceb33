// In: the name of a probe of requests. Out: the metrics that its maps become, the same for every protocol.
import type { LabelField, Probe } from './probe.ts';

/**
 * Metrics of the maps @NAME_requests, _delayed, _delayed_net, _net_ns, _delay_ns, keyed (cgroup, …fields), and
 * @NAME_unanswered and _unmatched, keyed (cgroup, …missedFields). See bpf/http.bt for their meaning.
 */
export const requestMetrics = (
  name: string,
  {
    labels,
    fields,
    missedFields,
  }: {
    readonly labels: Readonly<Record<string, string>>;
    readonly fields: readonly LabelField[];
    readonly missedFields: readonly LabelField[];
  },
): Probe['metrics'] => [
  {
    kind: 'histogram',
    name: 'plumbline_http_request_duration_seconds',
    help: 'Time from the arrival of a request in the socket to the first byte of its response.',
    labels,
    fields,
    buckets: [`@${name}_requests`, `@${name}_delayed`],
    // A reduced probe that knows of no delays has but one sum.
    sumsNs: [`@${name}_net_ns`, `@${name}_delay_ns`, `@${name}_duration_ns`],
  },
  {
    kind: 'histogram',
    name: 'plumbline_http_request_net_duration_seconds',
    help: 'Request duration less the time in which its thread was runnable but not running, per request.',
    labels,
    fields,
    buckets: [`@${name}_requests`, `@${name}_delayed_net`],
    sumsNs: [`@${name}_net_ns`],
  },
  {
    kind: 'counter',
    name: 'plumbline_http_request_sched_delay_seconds_total',
    help: 'Part of the request durations in which the thread waited for a CPU.',
    labels,
    fields,
    map: `@${name}_delay_ns`,
    scale: 1e-9,
  },
  {
    kind: 'counter',
    name: 'plumbline_http_unanswered_total',
    help: 'Connections closed after a request and before the first byte of an answer.',
    labels,
    fields: missedFields,
    map: `@${name}_unanswered`,
    scale: 1,
  },
  {
    kind: 'counter',
    name: 'plumbline_http_unmatched_responses_total',
    help: 'Responses whose request was not seen, and which are in no other metric.',
    labels,
    fields: missedFields,
    map: `@${name}_unmatched`,
    scale: 1,
  },
];
