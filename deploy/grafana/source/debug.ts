// The dashboard for afterwards: node by node, bucket by bucket, and whether the agents themselves are well.
import {
  appVariable,
  dashboard,
  datasourceVariable,
  namespaceVariable,
  nodeVariable,
  versionVariable,
} from './dashboard.ts';
import { app, delayShare, durations, netDurations, observations, quantile, rate } from './expressions.ts';
import { canaryPanel, curveOver, heatmap, lines, numbers, row, table } from './panels.ts';

const here = 'node=~"$node"';
const of = (version: 'canary' | 'baseline') => `${app}, ${here}, version="$${version}"`;
const both = `${app}, ${here}, version=~"$canary|$baseline"`;
const range = '[$__range]';
const by = 'node, version';

/** Share of requests that took no longer than each bound. */
const cumulative = (version: 'canary' | 'baseline', histogram: string): string =>
  `sum by (le) (increase(${histogram}_bucket{${of(version)}}${range})) / scalar(sum(increase(${histogram}_count{${of(version)}}${range})))`;
const difference = (histogram: string): string =>
  `${cumulative('baseline', histogram)} - ${cumulative('canary', histogram)}`;

export const debug = dashboard({
  uid: 'plumbline-debug',
  title: 'Plumbline: nodes and agents',
  description: 'One app by node, its whole distribution, who held its CPUs, and the agents’ own health.',
  time: '1h',
  variables: [
    datasourceVariable,
    namespaceVariable,
    appVariable(false),
    versionVariable('canary', false),
    versionVariable('baseline', false),
    nodeVariable,
  ],
  panels: [
    canaryPanel('$canary over $baseline, by node', { w: 24, h: 14 }, { sections: ['nodes', 'signals'] }),
    row('Nodes'),
    table(
      'Versions by node',
      'Over the time range. Net: less the time that requests waited for a CPU.',
      { node: 'Node', version: 'Version' },
      [
        {
          refId: 'requests',
          title: 'Requests',
          unit: 'reqps',
          expr: observations(durations, by, both, range),
        },
        { refId: 'p50', title: 'p50', unit: 's', expr: quantile(0.5, durations, by, both, range) },
        { refId: 'p99', title: 'p99', unit: 's', expr: quantile(0.99, durations, by, both, range) },
        { refId: 'net', title: 'Net p99', unit: 's', expr: quantile(0.99, netDurations, by, both, range) },
        {
          refId: 'delay',
          title: 'CPU wait',
          unit: 'percentunit',
          expr: delayShare(by, both, range),
          limits: [0.1, 0.3],
        },
        {
          refId: 'runqueue',
          title: 'Run-queue wait p95',
          unit: 's',
          expr: quantile(0.95, 'plumbline_runqueue_wait_seconds', by, both, range),
        },
        {
          refId: 'throttled',
          title: 'Throttled',
          unit: 'percentunit',
          expr: rate('plumbline_cpu_throttled_seconds_total', by, both, range),
          limits: [0.01, 0.1],
        },
      ],
    ),
    lines(
      'Who held the CPU, by node',
      'percentunit',
      'CPUs that others kept busy while threads of these versions waited for one.',
      [
        {
          refId: 'A',
          expr: `topk(12, ${rate('plumbline_cpu_blame_seconds_total', 'node, culprit_namespace, culprit_app, culprit_version', both)})`,
          legendFormat: '{{node}}: {{culprit_namespace}}/{{culprit_app}} {{culprit_version}}',
        },
      ],
      { w: 12, stacked: true },
    ),
    lines(
      'Block I/O, p99',
      's',
      'Time from a request to the disk to its end.',
      [
        {
          refId: 'A',
          expr: quantile(0.99, 'plumbline_block_io_seconds', 'node, version, operation', both),
          legendFormat: '{{node}} {{version}} {{operation}}',
        },
      ],
      { w: 12 },
    ),
    row('Distributions (classic histograms only)'),
    heatmap(
      'Canary',
      'Requests by duration.',
      `sum by (le) (increase(${durations}_bucket{${of('canary')}}[$__rate_interval]))`,
    ),
    heatmap(
      'Baseline',
      'Requests by duration.',
      `sum by (le) (increase(${durations}_bucket{${of('baseline')}}[$__rate_interval]))`,
    ),
    curveOver(
      'le',
      'Difference of the cumulative distributions',
      'percentunit',
      'Share of requests that the baseline answered within each duration and the canary did not: above zero the canary is slower.',
      [
        { refId: 'raw', legendFormat: 'Durations', expr: difference(durations) },
        { refId: 'net', legendFormat: 'Net durations', expr: difference(netDurations) },
      ],
    ),
    row('Agents'),
    numbers(
      'Probes that are down',
      'none',
      'Probes that are not loaded or do not deliver; the rest runs.',
      [{ refId: 'A', expr: `count(plumbline_probe_up{${here}} == 0) or vector(0)` }],
      [
        ['green', null],
        ['red', 1],
      ],
    ),
    numbers(
      'Oldest reading',
      's',
      'Time since an agent last read the kernel.',
      [{ refId: 'A', expr: `max(plumbline_agent_snapshot_age_seconds{${here}})` }],
      [
        ['green', null],
        ['orange', 5],
        ['red', 30],
      ],
    ),
    numbers(
      'Fullest map',
      'percentunit',
      'What does not fit into a full kernel map is lost. Remedy: bpftrace.maxMapKeys.',
      [
        {
          refId: 'A',
          expr: `max(max by (node) (plumbline_probe_map_entries{${here}}) / on (node) max by (node) (plumbline_probe_map_capacity{${here}}))`,
        },
      ],
      [
        ['green', null],
        ['orange', 0.7],
        ['red', 0.95],
      ],
    ),
    numbers(
      'Lost or broken',
      'none',
      'Events lost, lines skipped and restarts of bpftrace in the time range.',
      [
        {
          refId: 'A',
          expr: ['lost_events', 'parse_errors', 'restarts']
            .map((name) => `sum(increase(plumbline_probe_${name}_total{${here}}${range}))`)
            .join(' + '),
          instant: true,
        },
      ],
      [
        ['green', null],
        ['orange', 1],
      ],
    ),
    lines('CPU of the agents', 'percentunit', 'CPUs in use by each agent, without bpftrace.', [
      {
        refId: 'A',
        expr: `sum by (node) (rate(plumbline_agent_cpu_seconds_total{${here}}[$__rate_interval]))`,
        legendFormat: '{{node}}',
      },
    ]),
    lines('Memory of the agents', 'bytes', 'Resident memory of each agent, without bpftrace.', [
      {
        refId: 'A',
        expr: `sum by (node) (plumbline_agent_resident_memory_bytes{${here}})`,
        legendFormat: '{{node}}',
      },
    ]),
    lines(
      'Sources of workloads',
      'none',
      '1: it answers. Without one, pods or containers count as unknown.',
      [
        {
          refId: 'A',
          expr: `min by (node, source) (plumbline_agent_workload_source_up{${here}})`,
          legendFormat: '{{node}} {{source}}',
        },
      ],
    ),
  ],
});
