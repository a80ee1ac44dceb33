// bpf/tcp.bt: states of TCP sockets → connections by role and peer: opened, failed, closed, reset, and how they fared.
import { peerPortLabel } from '../peer-ports.ts';
import { metricNames } from '../series/names.ts';
import type { CounterDefinition, HistogramDefinition, LabelField, Probe } from './probe.ts';

const role: LabelField = ['role', (key) => (key === 0 ? 'client' : 'server')];
const peerPort: LabelField = ['peer_port', peerPortLabel];
const common = { labels: {}, fields: [role, peerPort] };

/** Errors of include/uapi/asm-generic/errno.h; the same on x86 and ARM. */
const reasons: Readonly<Record<number, string>> = {
  0: 'abandoned',
  101: 'unreachable',
  110: 'timed_out',
  111: 'refused',
  113: 'unreachable',
};
const reason: LabelField = ['reason', (error) => reasons[error] ?? 'other'];
const direction: LabelField = ['direction', (key) => (key === 0 ? 'received' : 'sent')];

const counter = (name: string, help: string, map: string): CounterDefinition => ({
  ...common,
  kind: 'counter',
  name,
  help,
  map,
  scale: 1,
});

const histogram = (name: string, help: string, buckets: string, sums: string): HistogramDefinition => ({
  ...common,
  kind: 'histogram',
  name,
  help,
  buckets: [buckets],
  sumsNs: [sums],
});

export const probe: Probe = {
  name: 'tcp',
  // Older ones were not tried; before 5.5, the id of a cgroup, which tells whose a socket is, is a union.
  leastKernel: [5, 10],
  purpose:
    'TCP connections: opened, failed, closed, reset; lifetime, round trip, accept queue, retransmits, bytes',
  dispensable: 1,
  metrics: [
    counter(
      'plumbline_tcp_connections_opened_total',
      'Connections established; of servers before they are accepted.',
      '@tcp_opened',
    ),
    {
      ...counter(
        metricNames.connectionFailures,
        'Connections that a client tried for and did not get; abandoned: it gave up by itself.',
        '@tcp_failed',
      ),
      fields: [role, peerPort, reason],
    },
    counter('plumbline_tcp_connections_closed_total', 'Connections closed.', '@tcp_srtt'),
    {
      ...counter('plumbline_tcp_connections_reset_total', 'Connections ended by a reset.', '@tcp_reset'),
      fields: [role, peerPort, direction],
    },
    {
      ...counter(
        'plumbline_tcp_connections_active',
        'Connections established since the probe was loaded and not yet closed.',
        '@tcp_active',
      ),
      kind: 'gauge',
      unmatched: '@tcp_unmatched',
    },
    counter(metricNames.retransmits, 'Segments sent once more.', '@tcp_retransmits'),
    counter('plumbline_tcp_sent_bytes_total', 'Payload sent on connections closed.', '@tcp_sent_bytes'),
    counter(
      'plumbline_tcp_received_bytes_total',
      'Payload received on connections closed.',
      '@tcp_received_bytes',
    ),
    counter(
      'plumbline_tcp_unmatched_closes_total',
      'Of the connections closed, those whose opening was not seen: how long they lived is not known.',
      '@tcp_unmatched',
    ),
    counter(
      'plumbline_tcp_untracked_total',
      'Of the connections opened, those for which a kernel map had no room: they are not in the gauge of active ones.',
      '@tcp_untracked',
    ),
    histogram(
      'plumbline_tcp_connection_duration_seconds',
      'Time from established to closed, of connections whose opening was seen.',
      '@tcp_lifetimes',
      '@tcp_lifetime_ns',
    ),
    histogram(
      'plumbline_tcp_srtt_seconds',
      'Smoothed round trip time of a connection when it was closed.',
      '@tcp_srtt',
      '@tcp_srtt_ns',
    ),
    histogram(
      'plumbline_tcp_accept_queue_seconds',
      'Time for which a connection was established before the server accepted it.',
      '@tcp_accept_waits',
      '@tcp_accept_wait_ns',
    ),
  ],
};
