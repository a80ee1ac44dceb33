// bpf/websocket.bt: WebSocket connections of servers → open ones, lifetime, messages and payload by direction.
import type { LabelField, Probe } from './probe.ts';

const direction: LabelField = ['direction', (key) => (key === 0 ? 'received' : 'sent')];
const counter = { kind: 'counter', labels: {}, fields: [], scale: 1 } as const;

export const probe: Probe = {
  name: 'websocket',
  dispensable: 1,
  leastKernel: [5, 10],
  purpose: 'WebSocket connections of servers: open ones, lifetime, messages and payload each way',
  metrics: [
    {
      ...counter,
      name: 'plumbline_websocket_connections_opened_total',
      help: 'Connections that were upgraded (101).',
      map: '@websocket_opened',
    },
    {
      ...counter,
      kind: 'gauge',
      name: 'plumbline_websocket_connections_active',
      help: 'Connections upgraded since the probe was loaded and not yet closed.',
      map: '@websocket_active',
    },
    {
      kind: 'histogram',
      name: 'plumbline_websocket_connection_duration_seconds',
      help: 'Time from the upgrade of a connection to its end.',
      labels: {},
      fields: [],
      buckets: ['@websocket_lifetimes'],
      sumsNs: ['@websocket_lifetime_ns'],
    },
    {
      ...counter,
      name: 'plumbline_websocket_messages_total',
      help: 'Messages begun, in however many fragments.',
      fields: [direction],
      map: '@websocket_messages',
    },
    {
      ...counter,
      name: 'plumbline_websocket_payload_bytes_total',
      help: 'Payload of messages as it is sent, perhaps compressed.',
      fields: [direction],
      map: '@websocket_bytes',
    },
    {
      ...counter,
      name: 'plumbline_websocket_lost_total',
      help: 'Times the frames of a connection got lost: they do not count up to a read or write that is one whole frame.',
      fields: [direction],
      map: '@websocket_lost',
    },
  ],
};
