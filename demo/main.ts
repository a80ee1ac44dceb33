// In: a scenario. Out: two versions of a service under load, measured by the agent, in a table and as JSON.
import { Command, InvalidArgumentError, Option } from 'commander';
import { availableParallelism, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { runAgent } from '../agent/src/agent.ts';
import { readSeries, showTable } from '../agent/src/cli/top.ts';
import { untilSignal } from '../agent/src/cli/signals.ts';
import { versionRows } from '../agent/src/cli/versions.ts';
import { parseConfig } from '../agent/src/config.ts';
import { createLog } from '../agent/src/log.ts';
import { createCgroupTree, type CgroupTree } from './cgroup.ts';
import { startChild, type Child } from './child.ts';

interface Scenario {
  readonly what: string;
  /** Rounds of work for each request, by version. */
  readonly work: Readonly<Record<'v1' | 'v2', number>>;
  /** Whether a neighbour burns the core of v2. */
  readonly isNoisy: boolean;
}

const scenarios: Readonly<Record<string, Scenario>> = {
  healthy: {
    what: 'v1 and v2 run the same code, and nothing disturbs them.',
    work: { v1: 100, v2: 100 },
    isNoisy: false,
  },
  regression: {
    what: 'v2 does twice the work for each request: P99 and NET P99 both rise, CPU WAIT does not.',
    work: { v1: 100, v2: 200 },
    isNoisy: false,
  },
  'noisy-neighbour': {
    what: 'v1 and v2 run the same code; a neighbour burns the core of v2: P99 rises, NET P99 does not.',
    work: { v1: 100, v2: 100 },
    isNoisy: true,
  },
};

/** Compilers and caches warm up while the probes are loaded and for this long; the summary is of what comes after. */
const warmUpMs = 2000;
const requestsPerSecond = 100;
/** The neighbour has a larger share of the CPU than v2, as a container with more CPU weight has. */
const neighbourNice = -10;
/** What measures and loads the services must not be a neighbour itself where there are few cores. */
const ownNice = 10;

interface Options {
  readonly scenario: string;
  readonly seconds: number;
  readonly json: boolean;
  readonly listen: string;
}

await new Command('npm run demo --')
  .description('Two versions of a service run on this machine, and Plumbline measures them.')
  .addOption(
    new Option('--scenario <name>', 'what happens')
      .choices(Object.keys(scenarios))
      .default('noisy-neighbour'),
  )
  .option('--seconds <n>', 'end after so long', parseSeconds, 30)
  .option('--listen <host:port>', 'address of the agent', '127.0.0.1:9736')
  .option('--json', 'no table; the last line is a summary', false)
  .addHelpText(
    'after',
    `
Scenarios:
${Object.entries(scenarios)
  .map(([name, { what }]) => `  ${name.padEnd(16)} ${what}`)
  .join('\n')}

Example:
  npm run demo -- --scenario regression --seconds 20
`,
  )
  .action(run)
  .parseAsync();

async function run(options: Options): Promise<void> {
  const scenario = scenarios[options.scenario];
  if (scenario === undefined) throw new Error(`No scenario ${options.scenario}`);
  const say = (text: string) => process.stderr.write(`${text}\n`);
  say(`Scenario ${options.scenario}: ${scenario.what}`);
  if (availableParallelism() < 2) say('This machine has one core: load and service disturb each other.');

  const stop = new AbortController();
  const signal = AbortSignal.any([untilSignal(), stop.signal]);
  const tree = await createCgroupTree('plumbline-demo');
  const children: Child[] = [];
  try {
    await startWorld(scenario, tree, children);
    setPriority(ownNice);
    let watching = Promise.resolve();
    await runAgent(demoConfig(tree, options.listen), createLog('warn'), stop.signal, {
      onListening: (url) => {
        say(`Metrics: ${url}/metrics\n`);
        watching = watch(url, options, signal).finally(() => {
          stop.abort();
        });
        watching.catch(() => undefined); // It is awaited below, once the agent has ended.
      },
    });
    await watching;
  } finally {
    stop.abort();
    await Promise.all(children.map((child) => child.stop()));
    await tree.remove();
  }
}

/** v2 has a core of its own, so that its neighbour is nobody else's; the others share the first. */
async function startWorld(scenario: Scenario, tree: CgroupTree, children: Child[]): Promise<void> {
  const lastCore = availableParallelism() - 1;
  const start = async (cgroup: string, cpu: number, ...command: string[]) => {
    const child = await startChild(command, { tree, cgroup, cpu });
    children.push(child);
    return child;
  };
  const script = (name: string) => new URL(name, import.meta.url).pathname;
  const startService = (version: 'v1' | 'v2', cpu: number) =>
    start(
      `checkout-${version}`,
      cpu,
      ...[process.execPath, '--import', 'tsx', script('service.ts')],
      ...['--version', version, '--work', String(scenario.work[version])],
    );
  const services = [await startService('v1', 0), await startService('v2', lastCore)];
  const ports = await Promise.all(services.map(({ firstLine }) => firstLine()));
  const load = [
    ...niced(ownNice),
    process.execPath,
    '--import',
    'tsx',
    script('load.ts'),
    '--rate',
    String(requestsPerSecond),
  ];
  await (await start('load', 0, ...load, ...ports)).firstLine();
  if (scenario.isNoisy) {
    await start('neighbour', lastCore, ...niced(neighbourNice), process.execPath, '-e', 'for (;;);');
  }
}

function niced(nice: number): readonly string[] {
  return ['nice', '-n', String(nice)];
}

function demoConfig(tree: CgroupTree, listen: string) {
  return parseConfig(
    `
listen: ${JSON.stringify(listen)}
workloads:
  static:
    - { cgroup: "${tree.path}/*-*", namespace: demo, app: $1, version: $2 }
`,
    'demo',
  );
}

/** Shows the table until time is up, and then the summary of what came after the warm-up. */
async function watch(
  address: string,
  { scenario, seconds, json }: Options,
  signal: AbortSignal,
): Promise<void> {
  const read = () => readSeries(address);
  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
  while (!signal.aborted && !(await fetch(`${address}/readyz`)).ok) await pause(100);
  await pause(warmUpMs);
  const first = await read();
  const leftMs = Math.max(1000, seconds * 1000 - warmUpMs);
  if (json) await pause(leftMs);
  else {
    if (process.stdout.isTTY) process.stdout.write('\x1b[2J');
    const footer = `\n${scenarios[scenario]?.what ?? ''}\n${address}/metrics  Ctrl-C ends.\n`;
    await showTable(read, 1000, Math.ceil(leftMs / 1000), signal, process.stdout.isTTY ? footer : '');
  }
  if (!json) return;
  const last = await read();
  const versions = versionRows(first, last).filter(({ app }) => app !== 'unknown');
  process.stdout.write(
    `${JSON.stringify({ scenario, seconds: (last.unixMs - first.unixMs) / 1000, versions })}\n`,
  );
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 5 && seconds <= 86_400)) throw new InvalidArgumentError('expected 5 to 86400 seconds.');
  return seconds;
}
