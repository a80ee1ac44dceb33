// In: the command line. Out: one command run, its exit status, and errors that people can act on.
import { Command, CommanderError } from 'commander';
import { packageVersion, PreflightError } from './agent.ts';
import { agentCommand } from './cli/agent.ts';
import { bpfCommand } from './cli/bpf.ts';
import { checkCommand } from './cli/check.ts';
import { judgeCommand } from './cli/judge.ts';
import { topCommand } from './cli/top.ts';
import { verdictCommand } from './cli/verdict.ts';
import { ConfigError } from './config.ts';

const program = new Command('plumbline')
  .description('Measures each version of a service from the kernel, and how much of it was the node.')
  .version(packageVersion())
  .showHelpAfterError()
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  plumbline check                        is this node fit, and if not, what to do
  plumbline agent --config plumbline.yaml
  plumbline top                          live table of the versions on this node
  plumbline bpf http | less              the probe, to read or to run by hand
  plumbline verdict run.json             is the canary as good as its baseline
  plumbline judge --app checkout         the same, over all nodes, from Prometheus
`,
  );
for (const command of [
  agentCommand(),
  checkCommand(),
  topCommand(),
  bpfCommand(),
  verdictCommand(),
  judgeCommand(),
]) {
  program.addCommand(command.copyInheritedSettings(program));
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(`plumbline: ${describe(error)}\n`);
    process.exitCode = error instanceof ConfigError ? 2 : 1;
  }
}

/** Errors that were foreseen need no stack; for the others it is the best lead. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isForeseen =
    error instanceof ConfigError || error instanceof PreflightError || error.cause !== undefined;
  return isForeseen ? error.message : (error.stack ?? error.message);
}
