// `npm run test:kernels`: the agent on each kernel with each bpftrace, in guests under qemu. A line each, and a table.
import { Command, Option } from 'commander';
import { readFile, writeFile } from 'node:fs/promises';
import { format } from 'prettier';
import { bpftraces, cells, kernels, nameOf, scenarios, type Cell, type Scenario } from './cells.ts';
import { progressLine } from './outcome.ts';
import { compatibilityPage, compatibilityTable } from './page.ts';
import { prepare } from './prepare.ts';
import { runCell, type CellOutcome } from './run-cell.ts';

const page = new URL('../../docs/compatibility.md', import.meta.url).pathname;

interface Options {
  readonly kernel?: readonly string[];
  readonly bpftrace?: readonly string[];
  readonly scenario?: readonly Scenario[];
  readonly atOnce: number;
  readonly timeout: number;
  readonly refresh: boolean;
  readonly verbose: boolean;
  readonly page: boolean;
  readonly mirror?: string;
}

const versions = (releases: readonly { readonly version: string }[]) =>
  releases.map(({ version }) => version);
const whole = (text: string) => Number.parseInt(text, 10);

const command = new Command('test:kernels')
  .description(
    'Run the agent on real kernels with real servers: each Debian kernel with each bpftrace, under qemu.',
  )
  .addOption(new Option('--kernel <version...>', 'these kernels alone').choices(versions(kernels)))
  .addOption(new Option('--bpftrace <version...>', 'these bpftraces alone').choices(versions(bpftraces)))
  .addOption(new Option('--scenario <name...>', 'these scenarios alone').choices(scenarios))
  .option('--at-once <guests>', 'guests that run at the same time, a core each', whole, 2)
  .option('--timeout <seconds>', 'longest time that a guest may take', whole, 1200)
  .option(
    '--page',
    'write docs/compatibility.md, where cells that are not run now keep what it says of them',
    false,
  )
  .option('--verbose', 'a line for each step of a guest', false)
  .option('--refresh', 'download packages anew, such as a newer kernel from sid', false)
  .option('--mirror <url>', 'Debian archive; by default the one of this machine')
  .addHelpText(
    'after',
    `
Examples:
  npm run test:kernels                                          the whole matrix, into docs/compatibility.md
  npm run test:kernels -- --kernel 6.1 --bpftrace 0.17 --scenario full

Packages are kept below $XDG_CACHE_HOME (~/.cache); console and report of each guest in test/results/kernels. Exit status: 0 if every cell is as it should be, 1 otherwise.
`,
  )
  .action(async (options: Options) => {
    const chosen = cells.filter(
      ({ kernel, bpftrace, scenario }) =>
        (options.kernel?.includes(kernel.version) ?? true) &&
        (options.bpftrace?.includes(bpftrace.version) ?? true) &&
        (options.scenario?.includes(scenario) ?? true),
    );
    if (chosen.length === 0) command.error('error: no cell is all of these', { exitCode: 2 });
    const stop = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        stop.abort();
      });
    const outcomes = await runAll(chosen, options, stop.signal);
    process.stdout.write(`\n${await pretty(compatibilityTable(chosen, outcomes))}`);
    if (options.page || (chosen.length === cells.length && !stop.signal.aborted))
      await writeFile(page, await pretty(compatibilityPage(outcomes, await readFile(page, 'utf8'))));
    const areAllOk = outcomes.length === chosen.length && outcomes.every(({ ok }) => ok);
    process.exitCode = areAllOk ? 0 : 1;
  });

/** So many at a time, in order; a cell that fails stops no other. */
const runAll = async (
  chosen: readonly Cell[],
  options: Options,
  signal: AbortSignal,
): Promise<readonly CellOutcome[]> => {
  const supplies = await prepare(options);
  const queue = [...chosen.entries()];
  const outcomes = new Map<number, CellOutcome>();
  const work = async () => {
    for (let next = queue.shift(); next !== undefined && !signal.aborted; next = queue.shift()) {
      const [position, cell] = next;
      const outcome = await runCell(cell, supplies, {
        timeoutSeconds: options.timeout,
        signal,
        onMessage: (message, cpuSeconds) => {
          if (!options.verbose || message.kind !== 'step') return;
          const when = `${message.atSeconds} s, ${cpuSeconds.toFixed(0)} s of CPU`;
          process.stdout.write(`       ${nameOf(cell)}: ${when}: ${message.doing}\n`);
        },
      });
      outcomes.set(position, outcome);
      process.stdout.write(progressLine(outcome));
    }
  };
  try {
    await Promise.all(Array.from({ length: options.atOnce }, work));
  } finally {
    await supplies.dispose();
  }
  return [...outcomes].sort(([left], [right]) => left - right).map(([, outcome]) => outcome);
};

const pretty = (markdown: string): Promise<string> =>
  format(markdown, { parser: 'markdown', printWidth: 200 });

await command.parseAsync();
