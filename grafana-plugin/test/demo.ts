// The demo as a user starts it: its addresses, and whether the machine leaves it in peace.
import { execa } from 'execa';
import type { ResultPromise } from 'execa';
import { readFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { parseSteal } from '../../agent/src/files/parse.ts';

export interface Demo {
  /** Of the agent's page, without a slash at its end. */
  readonly url: string;
  /** Resolves once it has ended, by itself or with SIGINT. */
  readonly ended: ResultPromise<{ reject: false }>;
  readonly stop: () => Promise<void>;
}

const main = new URL('../../demo/main.ts', import.meta.url).pathname;

/** Starts it on a free port, and waits until it says where it is to be seen. */
export async function startDemo(...options: readonly string[]): Promise<Demo> {
  const args = ['--import', 'tsx', main, '--listen', '127.0.0.1:0', '--json', ...options];
  const ended = execa(process.execPath, args, { reject: false });
  const { stderr } = ended;
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const page = /The page: (\S+)\//.exec(said)?.[1];
      if (page !== undefined) resolve(page);
    });
    void ended.then(() => {
      reject(new Error(`The demo ended:\n${said}`));
    });
  });
  const stop = async (): Promise<void> => {
    ended.kill('SIGINT');
    await ended;
  };
  return { url, ended, stop };
}

/** Whether others want so much of this machine that nobody can say what half a minute of it will show. */
export const isBusy = (): boolean => (loadavg()[0] ?? 0) > 2 * availableParallelism();

/** Begins to watch; call it for the share of all CPUs that the host has given to other guests since. */
export async function watchSteal(): Promise<() => Promise<number>> {
  const ticks = async (): Promise<number> => parseSteal(await readFile('/proc/stat', 'utf8')) ?? 0;
  const [startMs, before] = [performance.now(), await ticks()];
  return async () => {
    const stolenMs = ((await ticks()) - before) * 10;
    return stolenMs / (performance.now() - startMs) / availableParallelism();
  };
}
