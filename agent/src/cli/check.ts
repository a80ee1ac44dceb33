// In: this node. Out: a table, or JSON, of what the agent needs and what is missing; exit status 1 if it is.
import { Command } from 'commander';
import { checkUser, preflight, type Finding } from '../bpftrace/preflight.ts';
import { checkThreads } from '../bpftrace/threads.ts';
import { loadConfig } from '../config.ts';
import { fitProbes, type FittedProbe } from '../fit.ts';
import { chooseProbes, loadProbes } from '../probes.ts';

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
    .addHelpText(
      'after',
      '\nExit status: 0 if the agent would run here, 1 if not. A probe that lacks something is reduced or left out.\n',
    )
    .action(async ({ config: file, json = false }: { config?: string; json?: boolean }) => {
      const config = await loadConfig(file);
      const ground = await preflight(config.bpftrace.path);
      const findings = [...ground.findings, checkUser(config.user), checkThreads(config.bpftrace.maxMapKeys)];
      const all = await loadProbes();
      const chosen = chooseProbes(all, config.probes);
      const probes = fitProbes(chosen, ground);
      const others = fitProbes(
        all.filter((probe) => probe.isOptIn === true && !chosen.includes(probe)),
        ground,
      );
      const isFit =
        findings.every(({ status }) => status !== 'missing') && probes.some(({ mode }) => mode !== 'none');
      const answer = {
        fit: isFit,
        findings,
        probes: probes.map(described),
        notAskedFor: others.map(described),
      };
      process.stdout.write(
        json
          ? `${JSON.stringify(answer, undefined, 2)}\n`
          : table([...findings, ...probes.map(findingOf), ...others.map(offerOf)]),
      );
      process.exitCode = isFit ? 0 : 1;
    });

const described = ({ name, mode, lacking }: FittedProbe) => ({ name, mode, lacking });

/** What has to be named in the configuration, and is not: it is no fault that it is off, nor that it lacks something. */
const offerOf = (probe: FittedProbe): Finding => ({
  ...findingOf(probe),
  status: 'ok',
  found: `not in "probes" of the configuration; it would be ${findingOf(probe).found}`,
});

/** A probe as a line of the table. What it lacks stops this probe alone. */
const findingOf = ({ name, mode, lacking, scope }: FittedProbe): Finding => ({
  name: `probe ${name}`,
  status: mode === 'full' ? 'ok' : 'warning',
  found: [
    mode === 'none' ? 'left out' : mode,
    ...(scope === undefined ? [] : [scope]),
    ...lacking.map((finding) => `${finding.name} ${finding.found}`),
  ].join('; '),
  ...(lacking.length > 0 && {
    remedy: [...new Set(lacking.map(({ remedy }) => remedy))].join('; '),
  }),
});

const table = (findings: readonly Finding[]): string => {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.map(({ name, status, found, remedy }) => {
    const line = `${marks[status].padEnd(8)} ${name.padEnd(width)}  ${found}`;
    return remedy === undefined ? line : `${line}\n${' '.repeat(9)}${' '.repeat(width)}  remedy: ${remedy}`;
  });
  return `${lines.join('\n')}\n`;
};
