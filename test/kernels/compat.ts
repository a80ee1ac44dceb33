// `npm run test:compat`: the agent with all probes on this machine's kernel, with each bpftrace. A line each.
import { Command, Option } from 'commander';
import { execa } from 'execa';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bpftraces, type Release } from './cells.ts';
import { writeLauncher } from './image.ts';
import { outcomeOf, progressLine } from './outcome.ts';
import { prepare, type Supplies } from './prepare.ts';
import { parseReport } from './report.ts';

const tests = new URL('inside/main.ts', import.meta.url).pathname;
const timeoutMs = 240_000;

/** What a mount on top hides from a process and its children. */
const scenarios = {
  full: [],
  'no-btf': ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', 'sh'],
} as const;
type Scenario = keyof typeof scenarios;

interface Options {
  readonly bpftrace?: readonly string[];
  readonly refresh: boolean;
  readonly mirror?: string;
}

const command = new Command('test:compat')
  .description(
    "Run the agent with all probes, tls as well, on this machine's kernel with each bpftrace, with and without BTF.",
  )
  .addOption(
    new Option('--bpftrace <version...>', 'these alone').choices(bpftraces.map(({ version }) => version)),
  )
  .option('--refresh', 'download packages anew, such as a newer bpftrace from sid', false)
  .option('--mirror <url>', 'Debian archive; by default the one of this machine')
  .addHelpText(
    'after',
    `
It takes two to three minutes. Packages are kept below $XDG_CACHE_HOME (~/.cache) and never installed.
Exit status: 0 if all is as it should be, 1 otherwise.
`,
  )
  .action(async (options: Options) => {
    const supplies = await prepare(options);
    try {
      for (const release of bpftraces) {
        if (options.bpftrace?.includes(release.version) === false) continue;
        for (const scenario of ['full', 'no-btf'] as const) {
          const outcome = await outcomeOf(`bpftrace ${release.version}, ${scenario}`, () =>
            testHere(supplies, release, scenario),
          );
          process.stdout.write(progressLine(outcome));
          if (!outcome.ok) process.exitCode = 1;
        }
      }
    } finally {
      await supplies.dispose();
    }
  });

const testHere = async (supplies: Supplies, release: Release, scenario: Scenario) => {
  const unpacked = await supplies.bpftrace(release);
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-compat-'));
  try {
    await writeLauncher(join(folder, 'bpftrace'), unpacked.path, join(unpacked.path, 'usr/bin/bpftrace'));
    const startMs = performance.now();
    const forTests = ['200', '16384', 'tls'];
    const [file, ...args] = [
      ...scenarios[scenario],
      ...[process.execPath, '--import', 'tsx', tests, ...forTests],
    ];
    const { stdout, stderr } = await execa(file, args, {
      env: { PATH: `${folder}:${process.env.PATH ?? ''}` },
      reject: false,
      timeout: timeoutMs,
    });
    const messages = parseReport(stdout);
    if (!messages.some(({ kind }) => kind === 'end'))
      throw new Error(
        `the tests did not finish; the last message: ${JSON.stringify(messages.at(-1))}\n${stderr}`,
      );
    return { messages, seconds: (performance.now() - startMs) / 1000 };
  } finally {
    await rm(folder, { recursive: true });
  }
};

await command.parseAsync();
