// bpf/http.bt: HTTP/1.x server requests → duration and net duration histograms, scheduler delay, what was missed.
import type { LabelField, Probe } from './probe.ts';

const code: LabelField = ['code', (statusClass) => (statusClass === 0 ? 'unknown' : `${statusClass}xx`)];
const labels = { protocol: 'http1' };

export const probe: Probe = {
  name: 'http',
  purpose: 'HTTP/1.x server requests: duration from arrival in the socket, and the same less scheduler delay',
  metrics: [
    {
      kind: 'histogram',
      name: 'plumbline_http_request_duration_seconds',
      help: 'Time from the arrival of a request in the socket to the first byte of its response.',
      labels,
      fields: [code],
      buckets: ['@http_requests', '@http_delayed'],
      sumNs: { plus: ['@http_duration_ns'], minus: [] },
    },
    {
      kind: 'histogram',
      name: 'plumbline_http_request_net_duration_seconds',
      help: 'Request duration less the time in which its thread was runnable but not running, per request.',
      labels,
      fields: [code],
      isFullOnly: true,
      buckets: ['@http_requests', '@http_delayed_net'],
      sumNs: { plus: ['@http_duration_ns'], minus: ['@http_delay_ns'] },
    },
    {
      kind: 'counter',
      name: 'plumbline_http_request_sched_delay_seconds_total',
      help: 'Part of the request durations in which the thread waited for a CPU.',
      labels,
      fields: [code],
      isFullOnly: true,
      map: '@http_delay_ns',
      scale: 1e-9,
    },
    {
      kind: 'counter',
      name: 'plumbline_http_unanswered_total',
      help: 'Connections closed after a request and before the first byte of an answer.',
      labels,
      fields: [],
      map: '@http_unanswered',
      scale: 1,
    },
    {
      kind: 'counter',
      name: 'plumbline_http_unmatched_responses_total',
      help: 'Responses whose request was not seen, and which are in no other metric.',
      labels,
      fields: [],
      map: '@http_unmatched',
      scale: 1,
    },
  ],
};
