// In: `plumbline judge`. Out: a verdict from Prometheus, once, again and again, or to rollout tools over HTTP; or what is wrong with its queries.
import { exitCode, report } from '@plumbline/verdict';
import { Command, InvalidArgumentError, Option } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonSentences, type VerdictAnswer } from '../history/answer.ts';
import { checkQueries } from '../judge/check.ts';
import { loadJudgeConfig, type JudgeConfig } from '../judge/config.ts';
import { createPrometheus, type Prometheus } from '../judge/prometheus.ts';
import { runJudge } from '../judge/run.ts';
import { createService, type JudgeService } from '../judge/service.ts';
import { expectedSince, readSince } from '../judge/since.ts';
import { ConfigError } from '../config.ts';
import { createLog } from '../log.ts';
import { untilSignal } from './signals.ts';

interface Options {
  readonly config?: string;
  readonly prometheus?: string;
  readonly app?: string;
  readonly namespace?: string;
  readonly canary?: string;
  readonly baseline?: string;
  readonly since?: number;
  readonly json: boolean;
  readonly watch?: boolean | number;
  readonly listen?: boolean;
  readonly checkQueries?: boolean;
  readonly 'web.config.file'?: string;
}

export const judgeCommand = (): Command =>
  new Command('judge')
    .description('Judge a canary over all its nodes, by what Prometheus has scraped from the agents.')
    .option('-c, --config <file>', 'YAML configuration; without it, the defaults')
    .option('-p, --prometheus <url>', 'address of Prometheus, in place of the configured one')
    .option('-a, --app <name>', 'the app to judge')
    .option('--namespace <name>', 'where several namespaces have the app')
    .option('--canary <version>', 'by default the newest')
    .option('--baseline <version>', 'by default the busiest other')
    .option('--since <time>', 'how far back: 45s, 30m, 2h; or an ISO time, or Unix seconds', parseSince)
    .option('--json', 'print JSON', false)
    .option(
      '-w, --watch [seconds]',
      'print a verdict every so many seconds (30), until it is pass or fail',
      parseSeconds,
    )
    .addOption(
      new Option(
        '-l, --listen',
        'answer rollout tools over HTTP, on 127.0.0.1:9737 unless configured',
      ).conflicts(['app', 'namespace', 'canary', 'baseline', 'since', 'json', 'watch', 'checkQueries']),
    )
    .option('--web.config.file <file>', 'TLS and passwords of the listener, in the form that exporters share')
    .option('--check-queries', 'ask every query once and say what is wrong with it')
    .addHelpText(
      'after',
      `
Exit status: 0 pass, or skewed with code pass; 1 fail; 2 wrong usage; 3 marginal or inconclusive.
With --check-queries: 0 if every query can be trusted, 1 otherwise.

Examples:
  plumbline judge -p http://prometheus:9090 --app checkout --canary v2 --baseline v1 --since 30m
  plumbline judge --app checkout --watch
  plumbline judge --config judge.yaml --check-queries --app checkout
  plumbline judge --config judge.yaml --listen --web.config.file web.yaml

Example configuration:
  listen: 0.0.0.0:9737
  tokensFile: /etc/plumbline/tokens
  prometheus:
    url: https://mimir.example/prometheus
    headers: { X-Scope-OrgID: shop }
    bearerTokenFile: /var/run/secrets/mimir/token
  signals:
    - name: checkout_completed
      kind: ratio
      better: higher
      numerator: sum by (version, node) (increase(checkout_completed_total{app="$app"}[$window]))
      denominator: sum by (version, node) (increase(checkout_started_total{app="$app"}[$window]))
`,
    )
    .action(async (options: Options, command: Command) => {
      const config = await loadConfig(options);
      const prometheus = createPrometheus({ ...config.prometheus, timeoutMs: config.prometheus.timeout });
      if (options.checkQueries === true) {
        await showCheck(prometheus, config, options);
      } else if (options.listen === true) {
        const webConfigFile = options['web.config.file'];
        const log = createLog(config.logLevel);
        await runJudge({ prometheus, config, webConfigFile, log }, untilSignal());
      } else {
        if (options.app === undefined) command.error('error: expected --app, --listen or --check-queries');
        await showVerdicts(createService({ prometheus, config }), options, untilSignal());
      }
    });

const loadConfig = async ({ config: file, prometheus: url }: Options): Promise<JudgeConfig> => {
  const config = await loadJudgeConfig(file);
  if (url === undefined) return config;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new ConfigError('--prometheus: expected a URL such as http://prometheus:9090');
  return { ...config, prometheus: { ...config.prometheus, url } };
};

const showVerdicts = async (service: JudgeService, options: Options, signal: AbortSignal) => {
  const { app = '', namespace, canary, baseline, since, json, watch } = options;
  const watchSeconds = watch === true ? 30 : watch === false ? undefined : watch;
  for (;;) {
    const answer = await service.verdict({ app, namespace, canary, baseline, since });
    process.stdout.write(
      json
        ? `${JSON.stringify(answer, undefined, watchSeconds === undefined ? 2 : 0)}\n`
        : showReport(answer),
    );
    process.exitCode = exitCode(answer);
    if (watchSeconds === undefined || exitCode(answer) !== 3) return;
    await sleep(watchSeconds * 1000, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
  }
};

/** The report says each reason in general; the message may know more, such as which versions there are. */
const showReport = (answer: VerdictAnswer): string =>
  report(answer, answer.message.replace(reasonSentences(answer), '').trim());

const showCheck = async (prometheus: Prometheus, config: JudgeConfig, options: Options) => {
  const { labels, signals, window } = config;
  const findings = await checkQueries(prometheus, options, labels, signals, window / 1000);
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.map(
    ({ name, status, found }) => `${status.padEnd(8)} ${name.padEnd(width)}  ${found}\n`,
  );
  process.stdout.write(options.json ? `${JSON.stringify(findings, undefined, 2)}\n` : lines.join(''));
  process.exitCode = findings.some(({ status }) => status === 'wrong') ? 1 : 0;
};

function parseSince(text: string): number {
  const time = readSince(text);
  if (Number.isNaN(time)) throw new InvalidArgumentError(`expected ${expectedSince(text)}`);
  return time;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 1 && seconds <= 3600)) throw new InvalidArgumentError('expected 1 to 3600 seconds.');
  return seconds;
}
