// In: a configuration. Out: a running judge: rollout tools ask it over HTTP, and watched apps are asked about anyway.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ConfigError } from '../config.ts';
import { createTextExposition } from '../exposition/text.ts';
import { loadWebConfig, openWebConfig } from '../http/web-config.ts';
import type { JudgeConfig } from './config.ts';
import { createGauges } from './gauges.ts';
import type { Prometheus } from './prometheus.ts';
import { startJudgeServer } from './server.ts';
import { createService } from './service.ts';

export interface JudgeOptions {
  readonly prometheus: Prometheus;
  readonly config: JudgeConfig;
  /** In the form that exporters share; without it, everybody may ask in clear text. */
  readonly webConfigFile: string | undefined;
  readonly log: Logger;
}

/** Argo Rollouts and Flagger wait 10 s. */
const patienceMs = 9000;
const leastTokenLength = 16;

/**
 * Runs until `signal` aborts; resolves when the listener is gone.
 *
 * @throws ConfigError when a file that the configuration names is wrong
 * @throws Error when the address cannot be listened on
 */
export const runJudge = async (
  { prometheus, config, webConfigFile, log }: JudgeOptions,
  signal: AbortSignal,
): Promise<void> => {
  const gauges = createGauges();
  const service = createService({
    prometheus,
    config,
    patienceMs,
    onAnswer: (answer) => {
      gauges.set(answer, Date.now());
    },
    onTrouble: changesOnly((message) => {
      log.warn({ message }, 'no verdict could be made');
    }),
  });
  const server = await startJudgeServer({
    ...config.listen,
    service,
    log,
    metrics: createTextExposition(gauges.families),
    webConfig: webConfigFile === undefined ? openWebConfig : await loadWebConfig(webConfigFile),
    tokens: config.tokensFile === undefined ? undefined : await readTokens(config.tokensFile),
  });
  log.info({ url: server.url }, 'judge listens');
  while (!signal.aborted) {
    await Promise.all(config.watch.map((wish) => service.verdict(wish)));
    await sleep(config.window, undefined, { signal }).catch(() => undefined);
  }
  await server.close();
};

/** The same trouble with every question is one line in the log, once a minute. */
const changesOnly = (tell: (message: string) => void): ((message: string) => void) => {
  let last = { message: '', atMs: -Infinity };
  return (message) => {
    if (message === last.message && performance.now() - last.atMs < 60_000) return;
    last = { message, atMs: performance.now() };
    tell(message);
  };
};

/** Tokens of a file, one a line. */
const readTokens = async (file: string): Promise<readonly string[]> => {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`tokensFile: ${file} cannot be read`, { cause });
  }
  const tokens = text.split('\n').flatMap((line) => line.trim() || []);
  if (tokens.length === 0 || tokens.some((token) => token.length < leastTokenLength))
    throw new ConfigError(
      `tokensFile: expected one token a line in ${file}, of at least ${leastTokenLength} characters (openssl rand -hex 24)`,
    );
  return tokens;
};
