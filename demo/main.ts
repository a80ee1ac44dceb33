// In: a scenario. Out: two versions of a service under load, measured by the agent, in a table and as JSON.
import { Command, InvalidArgumentError, Option } from 'commander';
import { report, type Verdict } from '@plumbline/verdict';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { runAgent } from '../agent/src/agent.ts';
import { seriesReader, showTable } from '../agent/src/cli/top.ts';
import { untilSignal } from '../agent/src/cli/signals.ts';
import { versionRows } from '../agent/src/cli/versions.ts';
import { parseConfig } from '../agent/src/config.ts';
import { createLog } from '../agent/src/log.ts';
import { createCgroupTree, type CgroupTree } from './cgroup.ts';
import type { Child } from './child.ts';
import { evenOut, scenarios, startWorld } from './world.ts';

/** Compilers and caches warm up while the probes are loaded and for this long; the summary is of what comes after. */
const warmUpMs = 2000;
const readyWithinMs = 120_000;
/** These services answer within a millisecond: the default margin of 15 ms would excuse anything. */
const marginMs = 2;

interface Options {
  readonly scenario: keyof typeof scenarios;
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
  .option('--seconds <n>', 'end after so long', parseSeconds, 60)
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
  npm run demo -- --scenario regression
`,
  )
  .action(run)
  .parseAsync();

async function run(options: Options): Promise<void> {
  const scenario = scenarios[options.scenario];
  const say = (text: string) => process.stderr.write(`${text}\n`);
  say(`Scenario ${options.scenario}: ${scenario.what}`);
  if (availableParallelism() < 2) say('This machine has one core: load and service disturb each other.');

  const stop = new AbortController();
  const signal = AbortSignal.any([untilSignal(), stop.signal]);
  const tree = await createCgroupTree('plumbline-demo');
  const children: Child[] = [];
  try {
    await startWorld(scenario, tree, children);
    let watching = Promise.resolve();
    await runAgent(demoConfig(tree, options.listen), createLog('warn'), stop.signal, {
      onListening: (url) => {
        say(`The page: ${url}/    Metrics: ${url}/metrics\n`);
        watching = untilReady(url, signal)
          .then(() => (scenario.isNoisy ? evenOut(tree, children) : undefined))
          .then(() => watch(url, options, signal))
          .finally(() => {
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

function demoConfig(tree: CgroupTree, listen: string) {
  return parseConfig(
    `
listen: ${JSON.stringify(listen)}
bpftrace: { quickStart: false } # else its compiler is one more neighbour, in the first half minute
history: { window: 1s }
verdict: { margin: ${marginMs}ms }
workloads:
  static:
    - { cgroup: "${tree.path}/*-*", namespace: demo, app: $1, version: $2 }
    - { cgroup: "${tree.path}/*", namespace: batch, app: $1, version: v1 }
`,
    'demo',
  );
}

/** @throws Error when the agent has read nothing from the kernel for too long */
async function untilReady(address: string, signal: AbortSignal): Promise<void> {
  for (const start = performance.now(); performance.now() - start < readyWithinMs;) {
    if (signal.aborted || (await fetch(`${address}/readyz`)).ok) return;
    await sleep(100, undefined, { signal }).catch(() => undefined);
  }
  throw new Error('bpftrace has told nothing for two minutes. Remedy: see what "npx plumbline check" finds');
}

/** Shows the table until time is up, and then the summary of what came after the warm-up. */
async function watch(
  address: string,
  { scenario, seconds, json }: Options,
  signal: AbortSignal,
): Promise<void> {
  const read = seriesReader(new URL(address));
  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
  await pause(warmUpMs);
  const first = await read();
  const leftMs = Math.max(1000, seconds * 1000 - warmUpMs);
  if (json) await pause(leftMs);
  else {
    if (process.stdout.isTTY) process.stdout.write('\x1b[2J');
    const footer = async () =>
      process.stdout.isTTY
        ? `\n${await readVerdict(address).then(report, () => '')}\n${scenarios[scenario].what}\nThe page: ${address}/  Metrics: ${address}/metrics  Ctrl-C ends.\n`
        : '';
    await showTable(read, 1000, Math.ceil(leftMs / 1000), signal, footer);
  }
  const [last, verdict] = [await read(), await readVerdict(address)];
  if (!json) {
    if (!process.stdout.isTTY) process.stdout.write(`\n${report(verdict)}`);
    return;
  }
  const versions = versionRows(first, last).filter(({ app }) => app !== 'unknown');
  const summary = { scenario, seconds: (last.unixMs - first.unixMs) / 1000, versions, verdict };
  process.stdout.write(`${JSON.stringify(summary)}\n`);
}

async function readVerdict(address: string): Promise<Verdict> {
  const response = await fetch(`${address}/api/v1/verdict?app=checkout`);
  if (!response.ok) throw new Error(`The agent gave no verdict: ${await response.text()}`);
  return (await response.json()) as Verdict;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 5 && seconds <= 86_400)) throw new InvalidArgumentError('expected 5 to 86400 seconds.');
  return seconds;
}
