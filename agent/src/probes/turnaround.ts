// bpf/turnaround.bt: reads and writes of servers → time from the last byte in to the first byte out, by transport.
import type { LabelField, Probe } from './probe.ts';

const transport: LabelField = ['transport', (value) => (value === 1 ? 'tls' : 'tcp')];

export const probe: Probe = {
  name: 'turnaround',
  dispensable: 0,
  purpose: 'Servers of any protocol, TLS included: time from the last byte in to the first byte out',
  metrics: [
    {
      kind: 'histogram',
      name: 'plumbline_turnaround_seconds',
      help: 'Time from the arrival of the last byte that a server read to the first byte that it wrote then.',
      labels: {},
      fields: [transport],
      buckets: ['@turnaround_turns', '@turnaround_delayed'],
      sumsNs: ['@turnaround_net_ns', '@turnaround_delay_ns'],
    },
    {
      kind: 'histogram',
      name: 'plumbline_turnaround_net_seconds',
      help: 'Turnaround less the time in which its thread was runnable but not running, per turn.',
      labels: {},
      fields: [transport],
      buckets: ['@turnaround_turns', '@turnaround_delayed_net'],
      sumsNs: ['@turnaround_net_ns'],
    },
    {
      kind: 'counter',
      name: 'plumbline_turnaround_sched_delay_seconds_total',
      help: 'Part of the turnarounds in which the thread waited for a CPU.',
      labels: {},
      fields: [transport],
      map: '@turnaround_delay_ns',
      scale: 1e-9,
    },
    {
      kind: 'counter',
      name: 'plumbline_turnaround_unmeasured_total',
      help: 'Connections whose first request may have come along with the end of the TLS handshake: it is no turn.',
      labels: {},
      fields: [],
      map: '@turnaround_unmeasured',
      scale: 1,
    },
  ],
};
