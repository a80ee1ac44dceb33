// In: this node. Out: a table, or JSON, of what the agent needs and what is missing; exit status 1 if it is.
import { Command } from 'commander';
import { tracepointsOf } from '../bpftrace/compose.ts';
import { preflight, type Finding } from '../bpftrace/preflight.ts';
import { loadConfig } from '../config.ts';
import { composeProbes, loadProbes } from '../probes.ts';

const marks: Readonly<Record<Finding['status'], string>> = {
  ok: 'ok',
  warning: 'warning',
  missing: 'MISSING',
};

export const checkCommand = (): Command =>
  new Command('check')
    .description('Look whether this node can be measured, with a remedy for whatever is missing.')
    .option('-c, --config <file>', 'YAML configuration of the agent')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit status: 0 if nothing required is missing, 1 otherwise.\n')
    .action(async ({ config: file, json = false }: { config?: string; json?: boolean }) => {
      const config = await loadConfig(file);
      const program = composeProbes(await loadProbes(), config.interval, undefined);
      const { findings } = await preflight(config.bpftrace.path, tracepointsOf(program));
      const isFit = findings.every(({ status }) => status !== 'missing');
      process.stdout.write(
        json ? `${JSON.stringify({ fit: isFit, findings }, undefined, 2)}\n` : table(findings),
      );
      process.exitCode = isFit ? 0 : 1;
    });

const table = (findings: readonly Finding[]): string => {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.map(({ name, status, found, remedy }) => {
    const line = `${marks[status].padEnd(8)} ${name.padEnd(width)}  ${found}`;
    return remedy === undefined ? line : `${line}\n${' '.repeat(9)}${' '.repeat(width)}  remedy: ${remedy}`;
  });
  return `${lines.join('\n')}\n`;
};
