// In: a configuration. Out: the agent as a user starts it, `plumbline agent`, and what it serves.
import { execa } from 'execa';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonSeries } from '../../agent/src/series/json.ts';

export const plumbline = new URL('../../agent/bin/plumbline.js', import.meta.url).pathname;

export interface RunningAgent {
  readonly pid: number;
  readonly url: string;
  readonly series: () => Promise<JsonSeries>;
  readonly metrics: (accept?: string) => Promise<string>;
  /** Resolves after everything that has happened so far is in the series. */
  readonly settle: () => Promise<void>;
  /** The series that everything that has happened so far is in. */
  readonly settledSeries: () => Promise<JsonSeries>;
  readonly stop: (signal?: NodeJS.Signals) => Promise<{ exitCode: number | undefined; stderr: string }>;
}

/** A file that is there while `use` runs. */
export const withFile = async <Result>(
  text: string | Buffer,
  use: (file: string) => Promise<Result>,
  mode = 0o644,
): Promise<Result> => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-test-'));
  try {
    const file = join(folder, 'file');
    await writeFile(file, text, { mode });
    return await use(file);
  } finally {
    await rm(folder, { recursive: true });
  }
};

/** A command that runs the one behind it without any capability but these. */
export const withCapabilities = (names: readonly string[]): readonly string[] => [
  'setpriv',
  `--bounding-set=${['-all', ...names.map((name) => `+${name}`)].join(',')}`,
];

/** Starts the agent on a free port and waits until it says that it listens; and, unless told not to, until it is ready. */
export const startAgent = async (
  yaml: string,
  {
    awaitReady = true,
    intervalMs = 200,
    probes = ['http'],
    under = [],
    args = [],
    onLog = () => undefined,
  }: {
    readonly awaitReady?: boolean;
    readonly intervalMs?: number;
    /** All take some seconds to load, at once. */
    readonly probes?: readonly string[] | 'all';
    /** A command that runs the one behind it, such as one of util-linux. */
    readonly under?: readonly string[];
    /** Further arguments of `plumbline agent`. */
    readonly args?: readonly string[];
    /** Called with what it says on stderr. */
    readonly onLog?: (text: string) => void;
  } = {},
): Promise<RunningAgent> => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-test-'));
  const file = join(folder, 'agent.yaml');
  const atOnce = /^bpftrace:/m.test(yaml) ? '' : 'bpftrace: { quickStart: false }\n';
  const wanted = probes === 'all' ? atOnce : `probes: [${probes.join(', ')}]\n`;
  await writeFile(file, `listen: 127.0.0.1:0\ninterval: ${intervalMs}ms\n${wanted}${yaml}`);
  const command = [...under, process.execPath, plumbline, 'agent', '--config', file, ...args];
  const child = execa(command[0] ?? '', command.slice(1), {
    reject: false,
    forceKillAfterDelay: 10_000,
  });
  let stderr = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      onLog(chunk.toString());
      const listening = /"url":"(http[^"]+)"/.exec(stderr)?.[1];
      if (listening !== undefined) resolve(listening);
    });
    child.once('exit', () => {
      reject(new Error(`The agent ended: ${stderr}`));
    });
  }).catch(async (error: unknown) => {
    await rm(folder, { recursive: true });
    throw error;
  });
  const metrics = async (accept = '') => (await fetch(`${url}/metrics`, { headers: { accept } })).text();
  const isReady = async () => (await fetch(`${url}/readyz`)).ok;
  while (awaitReady && !(await isReady())) await sleep(intervalMs / 4);
  const series = async () => (await (await fetch(`${url}/api/v1/series`)).json()) as JsonSeries;
  const settle = () => awaitReadings(metrics, intervalMs);
  return {
    pid: child.pid ?? 0,
    url,
    series,
    metrics,
    settle,
    settledSeries: async () => {
      await settle();
      return series();
    },
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      const { exitCode } = await child;
      await rm(folder, { recursive: true });
      return { exitCode, stderr };
    },
  };
};

/** Waits until the second reading from now on has come: that one was begun after now. On a busy machine they come late. */
const awaitReadings = async (metrics: () => Promise<string>, intervalMs: number): Promise<void> => {
  const deadlineMs = Date.now() + 20_000;
  const latestMs = async () =>
    Date.now() - valueOf(await metrics(), 'plumbline_agent_snapshot_age_seconds') * 1000;
  let before = await latestMs();
  for (let readings = 0; readings < 2 && Date.now() < deadlineMs;) {
    // Not before the next one is due: each look takes the agent some work, and in a guest that is slow.
    await sleep(Math.max(intervalMs / 10, before + intervalMs - Date.now()));
    const latest = await latestMs();
    if (latest < before + intervalMs / 2) continue;
    readings++;
    before = latest;
  }
  await sleep(100);
};

/** Value of a self-metric in a text scrape; NaN if it is not there. */
export const valueOf = (metrics: string, name: string): number =>
  Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(metrics)?.[1] ?? NaN);
