// bpf/blockio.bt: requests to block devices → their latency by operation.
import type { Probe } from './probe.ts';

const operations: Readonly<Record<number, string>> = { 0: 'read', 1: 'write', 2: 'discard' };

export const probe: Probe = {
  name: 'blockio',
  purpose: 'Requests to block devices: time from submission to completion',
  dispensable: 2,
  metrics: [
    {
      kind: 'histogram',
      name: 'plumbline_block_io_seconds',
      help: 'Time from the submission of a request to a block device to its completion.',
      labels: {},
      fields: [['operation', (key) => operations[key] ?? 'other']],
      buckets: ['@blockio_requests'],
      sumsNs: ['@blockio_ns'],
    },
  ],
};
