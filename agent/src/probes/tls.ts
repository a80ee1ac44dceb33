// bpf/tls.bt: HTTP/1.x server requests inside TLS → the metrics of http, and what was not looked into.
import type { Probe } from './probe.ts';
import { requestMetrics } from './requests.ts';

export const probe: Probe = {
  name: 'tls',
  isOptIn: true,
  scope: "OpenSSL and its like; not Go's crypto/tls, Java's, rustls",
  purpose: 'HTTP/1.x server requests inside TLS, where OpenSSL or its like encrypts them: as http',
  metrics: [
    ...requestMetrics('tls', {
      labels: { protocol: 'http1' },
      fields: [['code', (statusClass) => (statusClass === 0 ? 'unknown' : `${statusClass}xx`)]],
      missedFields: [],
    }),
    {
      kind: 'counter',
      name: 'plumbline_tls_undecoded_connections_total',
      help: 'Connections with HTTP/2 inside TLS, which is not looked into.',
      labels: {},
      fields: [],
      map: '@tls_undecoded',
      scale: 1,
    },
  ],
};
