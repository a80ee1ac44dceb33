// In: a rate, or a number of requests. Out: what wrk measured.
import { execa } from 'execa';
import { setTimeout as sleep } from 'node:timers/promises';
import { withFile } from '../support/agent.ts';

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Seconds: number;
  readonly p99Seconds: number;
}

const report = `
function done(summary, latency)
  io.write(string.format("RESULT %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99)))
end
`;

/** An even load: each connection waits `delayMs` between an answer and its next request. */
export const wrkAtRate = (
  url: string,
  requestsPerSecond: number,
  seconds: number,
  headers: Headers = {},
): Promise<LoadResult> => {
  const delayMs = requestsPerSecond > 2000 ? 2 : requestsPerSecond > 500 ? 8 : 40;
  const connections = Math.max(1, Math.round((requestsPerSecond * delayMs) / 1000));
  return wrk(
    url,
    connections,
    1,
    seconds,
    `${withHeaders(headers)}
function delay() return ${delayMs} end${report}`,
  );
};

/** As many as go through `connections`. */
export const wrkFlatOut = (
  url: string,
  connections: number,
  seconds: number,
  headers: Headers = {},
): Promise<LoadResult> => wrk(url, connections, 1, seconds, `${withHeaders(headers)}${report}`);

type Headers = Readonly<Record<string, string>>;

const withHeaders = (headers: Headers): string =>
  Object.entries(headers)
    .map(([name, value]) => `wrk.headers["${name}"] = "${value}"\n`)
    .join('');

/**
 * Exactly `requests`, over one connection for each of four threads, so that none is under way at the end. wrk's
 * main thread sleeps through its whole duration even so: it is woken once `isDone` says that all were served.
 */
export const wrkExactly = async (
  url: string,
  requests: number,
  isDone: () => Promise<boolean>,
): Promise<LoadResult> => {
  const script = `
local left = ${requests / 4}
function response()
  left = left - 1
  if left == 0 then wrk.thread:stop() end
end${report}`;
  const stop = new AbortController();
  const result = wrk(url, 4, 4, 300, script, stop.signal);
  const deadlineMs = performance.now() + 300_000;
  while (!(await isDone()) && performance.now() < deadlineMs) await sleep(200);
  await sleep(200);
  stop.abort();
  return result;
};

const wrk = (
  url: string,
  connections: number,
  threads: number,
  seconds: number,
  script: string,
  stop?: AbortSignal,
): Promise<LoadResult> =>
  withFile(script, async (file) => {
    const command = ['wrk', `-c${connections}`, `-t${threads}`, `-d${seconds}s`, '-s', file, url];
    const child = execa('taskset', ['-c', '0', ...command]);
    stop?.addEventListener('abort', () => child.kill('SIGINT'));
    const { stdout } = await child;
    const numbers = /RESULT (\d+) (\d+) (\d+) (\d+)/.exec(stdout)?.slice(1).map(Number) ?? [];
    const [requests = NaN, micros = NaN, p50 = NaN, p99 = NaN] = numbers;
    return { requests, seconds: micros / 1e6, p50Seconds: p50 / 1e6, p99Seconds: p99 / 1e6 };
  });
