// In: `plumbline agent`. Out: the agent, until a signal.
import { Command } from 'commander';
import { runSplit } from '../split/supervisor.ts';
import { untilSignal } from './signals.ts';

export const agentCommand = (): Command =>
  new Command('agent')
    .description('Run the agent: load the probes, measure, serve /metrics.')
    .option('-c, --config <file>', 'YAML configuration; without it, the defaults')
    .addHelpText(
      'after',
      `
Serves on http://127.0.0.1:9736 unless the configuration says otherwise:
  /metrics        Prometheus text 0.0.4 or OpenMetrics
  /readyz         200 while the kernel is being read
  /healthz        200 while the agent runs
  /api/v1/series  the same series as JSON
  /api/v1/verdict?app=NAME  is its newest version as good as the one before, on this node

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
    .action(async ({ config: file }: { config?: string }) => {
      const args = ['listen', ...(file === undefined ? [] : ['--config', file])];
      process.exitCode = await runSplit(args, untilSignal());
    });
