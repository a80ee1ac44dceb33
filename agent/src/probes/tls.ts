// bpf/tls.bt: HTTP/1.x and HTTP/2 server requests inside TLS → the metrics of http and http2, and what was not looked into.
import { probe as http2 } from './http2.ts';
import type { Probe } from './probe.ts';
import { requestMetrics } from './requests.ts';

export const probe: Probe = {
  name: 'tls',
  isOptIn: true,
  leastKernel: [5, 10],
  scope: "OpenSSL and its like; not Go's crypto/tls, Java's, rustls",
  purpose: 'HTTP/1.x, HTTP/2 and gRPC inside TLS, where OpenSSL or its like encrypts them: as http and http2',
  metrics: [
    ...requestMetrics('tls', {
      labels: { protocol: 'http1' },
      fields: [['code', (statusClass) => (statusClass === 0 ? 'unknown' : `${statusClass}xx`)]],
      missedFields: [],
    }),
    ...http2.metrics,
    {
      kind: 'counter',
      name: 'plumbline_tls_undecoded_connections_total',
      help: 'Connections with HTTP/2 inside TLS that are not looked into: their socket is not known, or the kernel is too old.',
      labels: {},
      fields: [],
      map: '@tls_undecoded',
      scale: 1,
    },
  ],
};
