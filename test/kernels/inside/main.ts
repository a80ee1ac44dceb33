// Runs on the node that is tested, a guest or this machine. Out: on stdout, a report of whether the agent does here
// what it promises. Its arguments are the interval of the agent in ms, the entries of a map (a guest is slow and small), and
// names of probes that are to run besides those that need not be named.
import { execa } from 'execa';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { release, uptime } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { createCgroupTree, isRunning } from '../../../demo/cgroup.ts';
import { startChild } from '../../../demo/child.ts';
import { plumbline, startAgent, valueOf, type RunningAgent } from '../../support/agent.ts';
import { fieldOfPrograms, mostVerified } from '../../support/programs.ts';
import type { Content } from '../report.ts';
import type { Check, Rig } from './check.ts';

const [intervalMs = '200', maxMapKeys = '16384', ...optIn] = process.argv.slice(2);

/** What `plumbline check --json` says; this is the format that people rely on. */
interface CheckAnswer {
  readonly fit: boolean;
  readonly findings: readonly { name: string; status: string; found: string; remedy?: string }[];
  readonly probes: readonly FittedProbe[];
  readonly notAskedFor: readonly FittedProbe[];
}

interface FittedProbe {
  readonly name: string;
  readonly mode: 'full' | 'reduced' | 'none';
}

const send = (content: Content): void => {
  process.stdout.write(`${JSON.stringify({ ...content, atSeconds: Math.round(uptime()) })}\n`);
};
const step = (doing: string): void => {
  send({ kind: 'step', doing });
};
const expect = (sentence: string, ok: boolean, found: unknown = ''): void => {
  send({ kind: 'result', sentence, ok, found: typeof found === 'string' ? found : JSON.stringify(found) });
};

const main = async (): Promise<void> => {
  const { stdout: bpftrace } = await execa('bpftrace', ['--version']);
  send({ kind: 'start', kernel: release(), bpftrace });
  step('runs plumbline check');
  const { stdout } = await execa(process.execPath, [plumbline, 'check', '--json'], { reject: false });
  const answer = JSON.parse(stdout) as CheckAnswer;
  if (answer.fit) await measure(answer);
  else await refuse(answer);
  send({ kind: 'end' });
};

/** The check says that nothing can be measured: then the agent does not start, and says the same. */
const refuse = async ({ findings }: CheckAnswer): Promise<void> => {
  const missing = findings.filter(({ status }) => status === 'missing');
  send({ kind: 'refused', lacking: missing.map(({ name }) => name) });
  const { exitCode, stderr } = await execa(process.execPath, [plumbline, 'agent'], {
    reject: false,
    timeout: 30_000,
  });
  expect('the agent refuses, as the check said', exitCode === 1, stderr);
  for (const { name, found, remedy = '' } of missing) {
    const isNamed = stderr.includes(`${name}: ${found}`) && remedy !== '' && stderr.includes(remedy);
    expect(`it names the remedy for ${name}: ${remedy}`, isNamed, stderr);
  }
};

const measure = async ({ probes: always, notAskedFor }: CheckAnswer): Promise<void> => {
  const probes = [...always, ...notAskedFor.filter(({ name }) => optIn.includes(name))];
  send({ kind: 'probes', modes: Object.fromEntries(probes.map(({ name, mode }) => [name, mode])) });
  step('starts the agent');
  const tree = await createCgroupTree('plumbline-kernels');
  const agent = await startOrFail(
    [
      `bpftrace: { maxMapKeys: ${maxMapKeys}, quickStart: false }`,
      `workloads: { static: [{ cgroup: "${tree.path}/*@*", app: $1, version: $2 }] }`,
    ].join('\n'),
    probes.map(({ name }) => name),
  );
  if (probes.some(({ name, mode }) => name === 'tls' && mode !== 'none')) await untilAttached(agent);
  const children = await childrenOf(agent.pid);
  const bpftracePid = children.find(({ command }) => command.includes('bpftrace'))?.pid ?? 0;
  const counts = { sent: 0, counted: 0 };
  const expectCount: Rig['expectCount'] = async (sentence, expected, counted) => {
    counts.sent += expected;
    counts.counted += counted;
    const allowed = await skippedRunsOf(bpftracePid);
    const isRight = counted <= expected && expected - counted <= allowed;
    expect(sentence, isRight, `${counted} of ${expected}, and ${allowed} runs skipped`);
  };
  try {
    expectSameProbes(probes, await agent.metrics());
    for (const { name, mode } of probes) {
      if (mode === 'none') continue;
      step(`checks ${name}`);
      const start: Rig['start'] = (command, app, version = 'v1') =>
        startChild(command, { tree, cgroup: `${app}@${version}` });
      await checkProbe(name, { agent, mode, start, expect, expectCount });
    }
    const verified = Math.max(...(await fieldOfPrograms(bpftracePid, 'verified_insns')));
    expect('the verifier is far from its limit with every program', verified <= mostVerified, verified);
    send({ kind: 'counts', ...counts, skippedRuns: await skippedRunsOf(bpftracePid) });
    const metrics = await agent.metrics();
    expectHealthy(metrics);
    send({ kind: 'metrics', zipped: gzipSync(metrics).toString('base64') });
  } finally {
    step('kills the agent');
    await expectNoOrphan(agent, children);
    await tree.remove();
  }
};

/** @throws Error with what bpftrace says when it does not take them: the agent would try for ever */
const startOrFail = async (yaml: string, probes: readonly string[]): Promise<RunningAgent> => {
  const failing = new AbortController();
  const failed = once(failing.signal, 'abort').then(() => {
    throw new Error(String(failing.signal.reason));
  });
  const delivering = new AbortController();
  const delivers = once(delivering.signal, 'abort');
  const onLog = (text: string) => {
    send({ kind: 'log', text });
    if (text.includes('bpftrace ended')) failing.abort(text);
    if (text.includes('bpftrace delivers')) delivering.abort();
  };
  const started = startAgent(yaml, { intervalMs: Number(intervalMs), probes, onLog, awaitReady: false });
  // To ask whether it is ready while bpftrace compiles is to keep that waiting.
  const [agent] = await Promise.race([Promise.all([started, delivers]), failed]);
  while (!(await fetch(`${agent.url}/readyz`)).ok) await sleep(100);
  return agent;
};

/** Another bpftrace takes over, with the libraries in use: the agent's own Node is one. */
const untilAttached = async (agent: RunningAgent): Promise<void> => {
  step('waits for libraries');
  const attached = async () =>
    Number(/^plumbline_tls_libraries\{.*state="attached"\} (\d+)$/m.exec(await agent.metrics())?.[1]);
  while (!((await attached()) > 0)) await sleep(200);
};

/** Runs checks/NAME, if there is one: without it, a probe has loaded and that is all. */
const checkProbe = async (name: string, rig: Rig): Promise<void> => {
  const file = new URL(`checks/${name}.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
  if (!existsSync(file)) return;
  try {
    const { check } = (await import(file.href)) as { check: Check };
    await check(rig);
  } catch (error) {
    expect(`the check of ${name} runs`, false, error instanceof Error ? error.stack : error);
  }
};

/** The agent runs each probe as the check said, and its output is whole. */
const expectSameProbes = (probes: readonly FittedProbe[], metrics: string): void => {
  for (const { name, mode } of probes) {
    const line = (metric: string) =>
      metrics.split('\n').find((one) => one.startsWith(`${metric}{`) && one.includes(`probe="${name}"`));
    const running = /mode="(\w+)"/.exec(line('plumbline_probe_info') ?? '')?.[1] ?? 'none';
    expect(`${name} runs ${mode}, as the check said`, running === mode, running);
    const isUp = line('plumbline_probe_up')?.endsWith(' 1') === true;
    expect(`${name} is up, or left out`, isUp === (mode !== 'none'));
  }
};

const expectHealthy = (metrics: string): void => {
  for (const trouble of ['restarts', 'parse_errors', 'lost_events']) {
    const value = valueOf(metrics, `plumbline_probe_${trouble}_total`);
    expect(`there were no ${trouble.replace('_', ' ')}`, value === 0, value);
  }
};

/** Nothing of the agent is left soon after SIGKILL: bpftrace ends at its next print. */
const expectNoOrphan = async (agent: RunningAgent, children: readonly Process[]): Promise<void> => {
  const left = () => children.filter(({ pid }) => isRunning(pid));
  expect('bpftrace and the listener live', left().length === 2, children);
  await agent.stop('SIGKILL');
  for (let waitedMs = 0; waitedMs < 10_000 && left().length > 0; waitedMs += 100) await sleep(100);
  expect('SIGKILL of the agent leaves no process', left().length === 0, left());
};

interface Process {
  readonly pid: number;
  readonly command: string;
}

const childrenOf = async (pid: number): Promise<readonly Process[]> => {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const pids = text.split(' ').filter(Boolean).map(Number);
  return Promise.all(
    pids.map(async (child) => ({ pid: child, command: await readFile(`/proc/${child}/cmdline`, 'utf8') })),
  );
};

/** Runs that the kernel left out since another program was active on that CPU; it counts them from 6.1 on. */
const skippedRunsOf = async (bpftracePid: number): Promise<number> =>
  (await fieldOfPrograms(bpftracePid, 'recursion_misses')).reduce((sum, skipped) => sum + skipped, 0);

await main().catch((error: unknown) => {
  expect('the tests run', false, error instanceof Error ? error.stack : error);
  send({ kind: 'end' });
});
process.exit();
