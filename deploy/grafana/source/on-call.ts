// The dashboard for an incident: one app, its verdict in full, and what its nodes and connections are doing.
import {
  appVariable,
  dashboard,
  datasourceVariable,
  namespaceVariable,
  versionVariable,
} from './dashboard.ts';
import { arms, delayShare, durations, errorRatio, observations, quantile, rate } from './expressions.ts';
import { canaryPanel, lines, row } from './panels.ts';

const legendFormat = '{{version}}';
const one = (expr: string) => [{ refId: 'A', expr, legendFormat }];

export const onCall = dashboard({
  uid: 'plumbline-on-call',
  title: 'Plumbline: one app',
  description: 'Is it the code, or is it a neighbour? Canary over baseline, contention and connections.',
  time: '1h',
  variables: [
    datasourceVariable,
    namespaceVariable,
    appVariable(false),
    versionVariable('canary', true),
    versionVariable('baseline', true),
  ],
  panels: [
    canaryPanel('Canary over baseline: $app', { w: 24, h: 26 }),
    row('Contention: what the nodes do to each version'),
    lines(
      'Time spent waiting for a CPU',
      'percentunit',
      'Share of the requests’ time in which their thread was ready to run and did not.',
      one(delayShare('version', arms)),
    ),
    lines(
      'Run-queue wait, p95',
      's',
      'How long a thread waits each time it is ready to run.',
      one(quantile(0.95, 'plumbline_runqueue_wait_seconds', 'version', arms)),
    ),
    lines(
      'Throttled',
      'percentunit',
      'Share of time for which its own CPU limit held it back.',
      one(rate('plumbline_cpu_throttled_seconds_total', 'version', arms)),
    ),
    lines(
      'Who held the CPU meanwhile',
      'percentunit',
      'CPUs that others kept busy while threads of these versions waited for one.',
      [
        {
          refId: 'A',
          expr: `topk(8, ${rate('plumbline_cpu_blame_seconds_total', 'culprit_namespace, culprit_app, culprit_version', arms)})`,
          legendFormat: '{{culprit_namespace}}/{{culprit_app}} {{culprit_version}}',
        },
      ],
      { w: 16, stacked: true },
    ),
    lines('Pressure', 'percentunit', 'Share of time in which some of its tasks stalled for a resource.', [
      {
        refId: 'A',
        expr: rate('plumbline_pressure_seconds_total', 'version, resource', `${arms}, kind="some"`),
        legendFormat: '{{version}} {{resource}}',
      },
    ]),
    row('Traffic'),
    lines('Requests', 'reqps', 'Answered requests.', one(observations(durations, 'version', arms)), {
      stacked: true,
    }),
    lines(
      'Errors',
      'percentunit',
      'Share of answers of class 5xx and of failed gRPC calls.',
      one(errorRatio('version', arms)),
    ),
    lines('CPU', 'none', 'CPUs in use.', one(rate('plumbline_cpu_seconds_total', 'version', arms))),
    row('Connections'),
    lines('Accepted and opened', 'cps', 'New connections, by the role that this app has in them.', [
      {
        refId: 'A',
        expr: rate('plumbline_tcp_connections_opened_total', 'version, role', arms),
        legendFormat: '{{version}} {{role}}',
      },
    ]),
    lines('Open', 'none', 'Connections that are open.', [
      {
        refId: 'A',
        expr: `sum by (version, role) (plumbline_tcp_connections_active{${arms}})`,
        legendFormat: '{{version}} {{role}}',
      },
    ]),
    lines('Failed and reset', 'cps', 'Connections that could not be opened, or ended by a reset.', [
      {
        refId: 'failed',
        expr: rate('plumbline_tcp_connections_failed_total', 'version', arms),
        legendFormat: '{{version}} failed',
      },
      {
        refId: 'reset',
        expr: rate('plumbline_tcp_connections_reset_total', 'version', arms),
        legendFormat: '{{version}} reset',
      },
    ]),
    lines(
      'Wait to be accepted, p99',
      's',
      'Time between the handshake and accept(): long when the server is short of CPU or of threads.',
      one(quantile(0.99, 'plumbline_tcp_accept_queue_seconds', 'version', arms)),
    ),
    lines(
      'Round trip, p99',
      's',
      'Smoothed round-trip time of connections.',
      one(quantile(0.99, 'plumbline_tcp_srtt_seconds', 'version', arms)),
    ),
    lines(
      'Retransmits',
      'pps',
      'Segments that had to be sent again.',
      one(rate('plumbline_tcp_retransmits_total', 'version', arms)),
    ),
  ],
});
