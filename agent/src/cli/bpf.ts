// In: names of probes. Out: the bpftrace program that they make, as the agent would run it.
import { Command } from 'commander';
import { readJiffyClock } from '../bpftrace/clock.ts';
import { composeProbes, loadProbes, sheddingOrder } from '../probes.ts';

export const bpfCommand = (): Command =>
  new Command('bpf')
    .description('Print the bpftrace program of one or more probes; without a name, list them.')
    .argument('[names...]', 'probes')
    .addHelpText(
      'after',
      `
Examples:
  plumbline bpf
  plumbline bpf http > http.bt && sudo BPFTRACE_MAP_KEYS_MAX=16384 bpftrace http.bt
`,
    )
    .action(async (names: readonly string[], _options: unknown, command: Command) => {
      const probes = await loadProbes();
      if (names.length === 0) {
        process.stdout.write(probes.map(({ name, purpose }) => `${name.padEnd(10)} ${purpose}\n`).join(''));
        process.stdout.write(
          `\nSwitched off over budget, in this order: ${sheddingOrder(probes).join(', ')}\n`,
        );
        return;
      }
      const wanted = names.map((name) => {
        const probe = probes.find((one) => one.name === name);
        if (probe !== undefined) return probe;
        const known = probes.map((one) => one.name).join(', ');
        return command.error(`error: expected one of ${known}, got "${name}"`);
      });
      process.stdout.write(composeProbes(wanted, 1000, await readJiffyClock()));
    });
