// bpf/http.bt: HTTP/1.x server requests → duration and net duration histograms, scheduler delay, what was missed.
import type { Probe } from './probe.ts';
import { requestMetrics } from './requests.ts';

export const probe: Probe = {
  name: 'http',
  isFirst: true,
  purpose: 'HTTP/1.x server requests: duration from arrival in the socket, and the same less scheduler delay',
  metrics: requestMetrics('http', {
    labels: { protocol: 'http1' },
    fields: [['code', (statusClass) => (statusClass === 0 ? 'unknown' : `${statusClass}xx`)]],
    missedFields: [],
  }),
};
