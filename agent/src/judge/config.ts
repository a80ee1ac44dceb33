// In: a YAML file. Out: the judge's configuration, whole and checked.
import { z } from 'zod';
import { duration, listen, loadYaml } from '../config.ts';

const text = z.string().min(1);
const share = z.number().gt(0).lt(1);

const schema = z
  .strictObject({
    listen: listen.prefault('127.0.0.1:9737'),
    logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    prometheus: z
      .strictObject({
        url: z
          .url({ protocol: /^https?$/, error: 'expected a URL such as http://prometheus:9090' })
          .default('http://127.0.0.1:9090'),
        headers: z.record(text, z.string()).default({}),
        bearerTokenFile: text.optional(),
        tls: z
          .strictObject({
            caFile: text.optional(),
            certFile: text.optional(),
            keyFile: text.optional(),
            serverName: text.optional(),
          })
          .prefault({}),
        timeout: duration(100, 120_000).prefault('8s'),
      })
      .prefault({}),
    /** Label names, where Prometheus has renamed ours. */
    labels: z
      .strictObject({
        namespace: text.default('namespace'),
        app: text.default('app'),
        version: text.default('version'),
        node: text.default('node'),
      })
      .prefault({}),
    window: duration(5000, 600_000).prefault('30s'),
    lookback: duration(60_000, 86_400_000).prefault('1h'),
    verdict: z
      .strictObject({
        margin: duration(0, 60_000).prefault('15ms'),
        slo: share.optional(),
        expectedWeight: share.optional(),
      })
      .prefault({}),
    signals: z
      .array(
        z.strictObject({
          name: z.string().regex(/^[a-zA-Z_][\w-]{0,62}$/, 'expected a name such as checkout_completed'),
          kind: z.enum(['ratio', 'mean']),
          better: z.enum(['higher', 'lower']),
          numerator: text,
          denominator: text,
        }),
      )
      .default([]),
    /** Apps whose verdict is kept in the gauges, asked for or not. */
    watch: z
      .array(
        z
          .strictObject({
            app: text,
            namespace: text.optional(),
            /** `app`: canary and baseline are names of apps, as Flagger has them. */
            by: z.enum(['version', 'app']).optional(),
            canary: text.optional(),
            baseline: text.optional(),
          })
          .refine(({ by, canary, baseline }) => by !== 'app' || (canary && baseline), {
            message: 'expected canary and baseline with by: app, such as checkout and checkout-primary',
          }),
      )
      .default([]),
    /** A file with one bearer token a line; with it, nobody else gets an answer. */
    tokensFile: text.optional(),
  })
  .refine(({ window, lookback }) => lookback >= 2 * window, {
    path: ['lookback'],
    message: 'expected at least two windows',
  });

export type JudgeConfig = z.output<typeof schema>;

/**
 * Reads and checks a configuration file; without one, the defaults.
 *
 * @throws ConfigError naming file, key, what was expected and what was got
 */
export const loadJudgeConfig = (file: string | undefined): Promise<JudgeConfig> =>
  loadYaml(schema, file, ['prometheus.url', 'prometheus.headers']);
