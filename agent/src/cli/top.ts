// In: a running agent's series, every interval. Out: a live table; plain lines when not a terminal.
import { Command, InvalidArgumentError } from 'commander';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '../config.ts';
import { createClient, NoAnswer, type Access } from '../http/client.ts';
import type { JsonSeries } from '../series/json.ts';
import { untilSignal } from './signals.ts';
import { renderTable, type Space } from './table.ts';
import { versionRows } from './versions.ts';

/** Readings are compared with the one this many refreshes ago: rates and quantiles of the last 10 s by default. */
const windowRefreshes = 10;
/** The first is compared with one before it, for which nobody wants to wait long. */
const firstWindowMs = 1000;

export const topCommand = (): Command =>
  new Command('top')
    .description(
      'Live table of the versions on this node: rate, errors, latency, time spent waiting for a CPU.',
    )
    .option('-u, --url <url>', 'address of the agent', parseUrl, new URL('http://127.0.0.1:9736'))
    .option('--password-file <file>', "password of the url's user, for an agent with --web.config.file")
    .option('--ca-file <file>', 'who vouches for an https url, where the system does not know')
    .option('--cert-file <file>', 'client certificate')
    .option('--key-file <file>', 'its key')
    .option('-i, --interval <seconds>', 'time between refreshes', parseSeconds, 1)
    .option('-n, --count <refreshes>', 'end after so many refreshes', parseCount)
    .addHelpText(
      'after',
      `
Columns: requests and rate of the last ${windowRefreshes} refreshes, answers of class 5xx and gRPC calls that failed,
median and 99th percentile of the time from a request's arrival in the socket to the first byte of the answer,
the same 99th percentile without scheduler delay (net), and the share of all that time that was spent waiting
for a CPU.

Examples:
  plumbline top
  plumbline top --count 5 | tee versions.txt
  plumbline top --url https://sre@worker-1:9736 --ca-file ca.crt --password-file password
`,
    )
    .action(async ({ url, passwordFile, interval, count, ...tls }: Options) => {
      if (passwordFile !== undefined) url.password = await readPassword(passwordFile);
      await showTable(seriesReader(url, tls), interval * 1000, count ?? Infinity, untilSignal());
    });

interface Options {
  readonly url: URL;
  readonly passwordFile?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly interval: number;
  readonly count?: number;
}

/**
 * Refreshes until `signal` aborts or `count` is reached. An agent that answered once may be slow or restart later:
 * that is when its table is wanted most.
 *
 * @throws whatever the first `read` throws
 */
export const showTable = async (
  read: () => Promise<JsonSeries>,
  intervalMs: number,
  count: number,
  signal: AbortSignal,
  footer: () => Promise<string> = () => Promise.resolve(''),
): Promise<void> => {
  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
  const readings = [await read()];
  await pause(Math.min(intervalMs, firstWindowMs));
  for (let shown = 0; shown < count && !signal.aborted; shown++) {
    const answer = await read().catch(() => undefined);
    if (answer === undefined) draw(`The agent does not answer; it is asked again.\n`);
    else {
      readings.push(answer);
      if (readings.length > windowRefreshes + 1) readings.shift();
      const below = `${remark(answer)}${await footer()}`;
      draw(`${renderTable(versionRows(readings[0], answer), spaceAbove(below))}${below}`);
    }
    if (shown + 1 < count) await pause(intervalMs);
  }
};

/** Returns what reads the series of a running agent; that throws a NoAnswer which says why there is none. */
export const seriesReader = (url: URL, tls: Access['tls'] = {}): (() => Promise<JsonSeries>) => {
  const ask = createClient({ name: 'The agent', url, tls, timeoutMs: 5000, maxAnswerBytes: 256e6 });
  return async () => {
    const { status, text } = await ask('/api/v1/series').catch((cause: unknown) => {
      const remedy = 'Remedy: start one with "plumbline agent", or give its --url, and for https --ca-file';
      throw new NoAnswer(`${cause instanceof Error ? cause.message : String(cause)}. ${remedy}`, { cause });
    });
    if (status === 401)
      throw new NoAnswer(`The agent at ${url.host} wants a user, as in https://user@…, and --password-file`);
    const series = status === 200 ? readSeries(text) : undefined;
    if (series === undefined)
      throw new NoAnswer(
        `What answers at ${url.host} (status ${status}) is no agent. Remedy: give its --url`,
      );
    return series;
  };
};

const readSeries = (text: string): JsonSeries | undefined => {
  try {
    const answer = JSON.parse(text) as JsonSeries | null;
    return answer?.histograms && answer;
  } catch {
    return undefined;
  }
};

const readPassword = async (file: string): Promise<string> => {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new ConfigError(`--password-file ${file}: cannot be read`, { cause });
  }
};

const remark = ({ off = [] }: JsonSeries): string =>
  off.length === 0 ? '' : `\nOver budget.cpuPercent, switched off: ${off.join(', ')}\n`;

/** The last line of a screen stays free: a line break there would scroll it. */
const spaceAbove = (below: string): Space | undefined => {
  const { isTTY, columns, rows } = process.stdout;
  // A pseudo-terminal that nobody told its size has none.
  if (!isTTY || columns === 0 || rows === 0) return undefined;
  return { width: columns, height: rows - below.split('\n').length };
};

/** On a terminal: home, the text with each line's rest cleared, then everything below cleared. */
const draw = (text: string) => {
  process.stdout.write(process.stdout.isTTY ? `\x1b[H${text.replaceAll('\n', '\x1b[K\n')}\x1b[J` : text);
};

function parseUrl(text: string): URL {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError('expected a URL such as http://127.0.0.1:9736.');
  return new URL(text);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 3600)) throw new InvalidArgumentError('expected 0.1 to 3600 seconds.');
  return seconds;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1)
    throw new InvalidArgumentError('expected a whole number of at least 1.');
  return count;
}
