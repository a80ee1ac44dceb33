// bpf/http2.bt: HTTP/2 and gRPC server requests → the same metrics as HTTP/1, and how often frames got lost.
import type { LabelField, Probe } from './probe.ts';
import { requestMetrics } from './requests.ts';

const grpcError = 6;
const protocol: LabelField = ['protocol', (value) => (value === 3 ? 'grpc' : 'http2')];
const code: LabelField = [
  'code',
  (value) => (value === 0 ? 'unknown' : value === grpcError ? 'grpc_error' : `${value}xx`),
];

export const probe: Probe = {
  name: 'http2',
  leastKernel: [5, 10],
  purpose:
    'HTTP/2 and gRPC server requests: the same by stream, to the response or, for gRPC, to its trailers',
  metrics: [
    ...requestMetrics('http2', { labels: {}, fields: [protocol, code], missedFields: [protocol] }),
    {
      kind: 'counter',
      name: 'plumbline_http_unseen_answers_total',
      help: 'Requests of which it is not known whether they were answered, because the frames of their connection got lost.',
      labels: {},
      fields: [protocol],
      map: '@http2_unseen',
      scale: 1,
    },
    {
      kind: 'counter',
      name: 'plumbline_http2_unseen_requests_total',
      help: 'Requests that came while the frames of their connection were lost, known from the numbers of their streams.',
      labels: {},
      fields: [],
      map: '@http2_unseen_requests',
      scale: 1,
    },
    {
      kind: 'counter',
      name: 'plumbline_http2_lost_total',
      help: 'Times the frames of a connection got lost: its requests are not seen up to the next one that is recognised.',
      labels: {},
      fields: [['direction', (way) => (way === 0 ? 'in' : 'out')]],
      map: '@http2_lost',
      scale: 1,
    },
  ],
};
