import { expect, test } from 'vitest';
import { reducedMetrics } from './fit.ts';
import { chooseProbes, loadProbes } from './probes.ts';

test('a reduced probe has the metrics whose maps it prints', async () => {
  const found = Object.fromEntries(
    chooseProbes(await loadProbes(), ['http', 'tls', 'tcp']).map((probe) => [
      probe.name,
      reducedMetrics(probe).map(({ name }) => name.replace('plumbline_', '')),
    ]),
  );
  const always = ['http_request_duration_seconds', 'http_unanswered_total', 'http_unmatched_responses_total'];
  const net = ['http_request_net_duration_seconds', 'http_request_sched_delay_seconds_total'];
  expect(found).toEqual({
    http: always,
    tls: [always[0], ...net, ...always.slice(1), 'tls_undecoded_connections_total'],
    tcp: [],
  });
});
