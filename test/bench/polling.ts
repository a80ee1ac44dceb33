// In: a rate. Out: what a client measured that polls for its answers (polling.py).
import { execa } from 'execa';
import type { LoadResult } from './wrk.ts';

const script = new URL('polling.py', import.meta.url).pathname;

/** An even load from the first core. */
export const pollAtRate = async (
  url: string,
  requestsPerSecond: number,
  seconds: number,
): Promise<LoadResult> => {
  const { hostname, port, pathname } = new URL(url);
  const client = ['python3', script, hostname, port, pathname, String(requestsPerSecond), String(seconds)];
  const { stdout } = await execa('taskset', ['-c', '0', ...client], { timeout: (seconds + 60) * 1000 });
  return JSON.parse(stdout) as LoadResult;
};
