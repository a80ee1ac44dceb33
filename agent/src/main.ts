// In: the command line. Out: one command run, its exit status, and errors that people can act on.
import { Command, CommanderError } from 'commander';
import { packageVersion } from './version.ts';

/** Each is loaded when it is needed: the process of `plumbline agent` that has rights is to stay small. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  agent: async () => (await import('./cli/agent.ts')).agentCommand(),
  check: async () => (await import('./cli/check.ts')).checkCommand(),
  top: async () => (await import('./cli/top.ts')).topCommand(),
  bpf: async () => (await import('./cli/bpf.ts')).bpfCommand(),
  verdict: async () => (await import('./cli/verdict.ts')).verdictCommand(),
  judge: async () => (await import('./cli/judge.ts')).judgeCommand(),
  listen: async () => (await import('./cli/listen.ts')).listenCommand(),
};
const hidden = ['listen'];

const program = new Command('plumbline')
  .description('Measures each version of a service from the kernel, and how much of it was the node.')
  .version(packageVersion)
  .showHelpAfterError('See plumbline --help')
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
const [, , wanted = ''] = process.argv;
const names = Object.keys(commands);
for (const name of names.includes(wanted) ? [wanted] : names) {
  const command = await commands[name]?.();
  if (command === undefined) continue;
  command.copyInheritedSettings(program).showHelpAfterError(`See plumbline ${name} --help`);
  program.addCommand(command, { hidden: hidden.includes(name) });
}

// Who reads, such as head, has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(`plumbline: ${describe(error)}\n`);
    process.exitCode = isNamed(error, 'ConfigError') ? 2 : 1;
  }
}

/** Errors that were foreseen need no stack; for the others it is the best lead. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isForeseen = isNamed(error, 'ConfigError', 'PreflightError', 'NoAnswer') || error.cause !== undefined;
  return isForeseen ? error.message : (error.stack ?? error.message);
}

/** By name: to import the classes would be to load what throws them. */
function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}
