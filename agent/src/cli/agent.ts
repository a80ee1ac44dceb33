// In: `plumbline agent`. Out: the agent, until a signal.
import { Command } from 'commander';
import { runSplit } from '../split/supervisor.ts';
import { untilSignal } from './signals.ts';

export const agentCommand = (): Command =>
  new Command('agent')
    .description('Run the agent: load the probes, measure, serve /metrics.')
    .option('-c, --config <file>', 'YAML configuration; without it, the defaults')
    .option('--web.config.file <file>', 'TLS and passwords of the listener, in the form that exporters share')
    .addHelpText(
      'after',
      `
Serves on http://127.0.0.1:9736 unless the configuration says otherwise:
  /                         the page: versions, their latency, and the node's part in it
  /metrics                  Prometheus text 0.0.4, OpenMetrics or protobuf with native histograms
  /readyz                   200 while the kernel is being read
  /healthz                  200 while the agent runs
  /api/v1/series            the same series as JSON
  /api/v1/apps              apps and versions seen of late
  /api/v1/history?app=NAME  their requests and quantiles, window by window
  /api/v1/verdict?app=NAME  is its newest version as good as the one before, on this node
  /api/v1/agent             the agent itself: its probes, what they lack and cost

Example configuration:
  listen: 127.0.0.1:9736
  interval: 1s
  workloads:
    static:
      - cgroup: /shop/checkout-*
        namespace: shop
        app: checkout
        version: $1
`,
    )
    .action(async (options: Readonly<Record<string, string>>) => {
      const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
      process.exitCode = await runSplit(['listen', ...args], untilSignal());
    });
