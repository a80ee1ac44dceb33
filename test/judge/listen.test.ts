// `plumbline judge --listen` as rollout tools ask it: the requests that each documents, and the examples in deploy/.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { parseAllDocuments } from 'yaml';
import type { VerdictAnswer } from '../../agent/src/history/answer.ts';
import { startJudge, type RunningJudge } from '../support/judge.ts';
import { until } from '../support/prometheus.ts';
import { storeStories, type Story, type Stored } from '../support/tsdb.ts';

const token = 'a-token-of-enough-characters';
const steady = () => 0.1;
const slower = () => 0.13;

const pair = (app: string, canary: Partial<Story> = {}): readonly Story[] => [
  { app, version: 'v1', node: 'n1', seconds: steady },
  { app, version: 'v2', node: 'n1', seconds: steady, from: 600, ...canary },
];
/** As Flagger has it: the old version is an app of its own. */
const flaggerPair = (app: string, seconds: Story['seconds']): readonly Story[] => [
  { app: `${app}-primary`, version: '1.0', node: 'n1', seconds: steady },
  { app, version: '1.1', node: 'n1', seconds, from: 600 },
];
const stories = [
  ...pair('checkout'),
  ...pair('regressed', { seconds: slower, netSeconds: slower }),
  ...pair('idle', { requestsPerSecond: 0.2 }),
  ...flaggerPair('podinfo', steady),
  ...flaggerPair('badinfo', slower),
];

const example = async (name: string) => {
  const text = await readFile(new URL(`../../deploy/examples/${name}`, import.meta.url), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS() as Record<string, never>);
};

/** Argo's expressions are such as JavaScript has, too. */
const holds = (condition: string, result: unknown) =>
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  (new Function('result', `return ${condition}`) as (result: unknown) => boolean)(result);

describe('plumbline judge --listen', () => {
  let prometheus: Stored;
  let judge: RunningJudge;
  beforeAll(async () => {
    prometheus = await storeStories(stories, 40);
    judge = await startJudge(`prometheus: { url: "${prometheus.url}" }
watch:
  - { app: checkout }
  - { app: regressed }
  - { by: app, app: badinfo, namespace: shop, canary: badinfo, baseline: badinfo-primary }`);
  }, 60_000);
  afterAll(async () => {
    await judge.stop();
    await prometheus.stop();
  });

  const get = (path: string) => fetch(judge.url + path);
  const post = (path: string, body: unknown) =>
    fetch(judge.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const verdict = async (query: string) => {
    const response = await get(`/api/v1/verdict?${query}`);
    expect(response.status).toBe(200);
    return (await response.json()) as VerdictAnswer;
  };

  describe('for Argo Rollouts as a web metric', () => {
    interface Web {
      readonly successCondition: string;
      readonly failureCondition: string;
      readonly provider: { readonly web: { readonly url: string } };
    }
    const ask = async (args: Readonly<Record<string, string>>) => {
      const [template] = await example('argo-rollouts-web.yaml');
      const [metric] = (template as unknown as { spec: { metrics: Web[] } }).spec.metrics;
      if (metric === undefined) throw new Error('The example has no metric');
      const url = metric.provider.web.url.replace(
        /\{\{args\.([\w-]+)\}\}/g,
        (_, name: string) => args[name] ?? '',
      );
      const response = await get(url.replace(/^http:\/\/[^/]+/, ''));
      const result: unknown = await response.json();
      return {
        status: response.status,
        success: holds(metric.successCondition, result),
        failure: holds(metric.failureCondition, result),
      };
    };

    test('the example succeeds with a healthy canary', async () => {
      expect(
        await ask({ app: 'checkout', namespace: 'shop', 'canary-hash': 'v2', 'stable-hash': 'v1' }),
      ).toEqual({ status: 200, success: true, failure: false });
    });

    test('the example fails with a slower one', async () => {
      expect(
        await ask({ app: 'regressed', namespace: 'shop', 'canary-hash': 'v2', 'stable-hash': 'v1' }),
      ).toEqual({ status: 200, success: false, failure: true });
    });

    test.for([
      ['no traffic to speak of', { app: 'idle', 'canary-hash': 'v2', 'stable-hash': 'v1' }],
      ['an app that nobody knows', { app: 'nobody', 'canary-hash': 'v2', 'stable-hash': 'v1' }],
      ['the same hash twice', { app: 'checkout', 'canary-hash': 'v1', 'stable-hash': 'v1' }],
      ['a hash that is still empty', { app: 'checkout', 'canary-hash': 'v2', 'stable-hash': '' }],
    ] as const)('with %s it is neither, and no error', async ([, args]) => {
      expect(await ask({ namespace: 'shop', ...args })).toEqual({
        status: 200,
        success: false,
        failure: false,
      });
    });

    test('a query that is wrong in itself is a 400 that says what was expected, and repeats nothing', async () => {
      for (const query of ['', 'app=a&ap=<b>', 'app=a&app=b', 'app=a&since=yesterday', 'app=a&by=pod']) {
        const response = await get(`/api/v1/verdict?${query}`);
        expect(response.status).toBe(400);
        const body = await response.text();
        expect(body).toMatch(/^\{"error":"Expected /);
        expect(body).not.toContain('<b>');
      }
    });

    test('parameters may come as JSON in a POST', async () => {
      const response = await post('/api/v1/verdict', { app: 'regressed' });
      expect(await response.json()).toMatchObject({ verdict: 'fail', canary: 'v2' });
    });
  });

  describe('as a Kayenta, for Argo Rollouts', () => {
    /** What Argo's provider does with the example: look up the configuration, start, ask for the score. */
    const score = async (application: string): Promise<{ complete: boolean; score: number }> => {
      const [template] = await example('argo-rollouts-kayenta.yaml');
      const { kayenta } = (
        template as unknown as {
          spec: { metrics: { provider: { kayenta: { canaryConfigName: string; scopes: object[] } } }[] };
        }
      ).spec.metrics[0]?.provider ?? { kayenta: { canaryConfigName: '', scopes: [] } };
      const configs = (await (
        await get(`/canaryConfig?application=${application}&configurationAccountName=none`)
      ).json()) as { id: string; name: string }[];
      const id = configs.find(({ name }) => name === kayenta.canaryConfigName)?.id ?? '';
      const start = new Date(Date.now() - 1_800_000).toISOString();
      const times = { start, end: new Date().toISOString() };
      const scopes = JSON.stringify(kayenta.scopes[0], (_, value: unknown) =>
        typeof value === 'string'
          ? value.replace('{{args.stable-hash}}', 'v1').replace('{{args.canary-hash}}', 'v2')
          : value,
      )
        .replaceAll('{{args.start-time}}', times.start)
        .replaceAll('{{args.end-time}}', times.end);
      const started = await post(
        `/canary/${id}?application=${application}&metricsAccountName=none&configurationAccountName=none&storageAccountName=none`,
        `{"scopes":{"default":${scopes}},"thresholds":{"pass":95,"marginal":75}}`,
      );
      expect(started.status).toBe(200);
      const { canaryExecutionId } = (await started.json()) as { canaryExecutionId: string };
      const answer = (await (await get(`/canary/${canaryExecutionId}`)).json()) as {
        complete: boolean;
        result: { judgeResult: { score: { score: number } } };
      };
      return { complete: answer.complete, score: answer.result.judgeResult.score.score };
    };

    test('the score of a pass, a fail and an unknown app', async () => {
      expect(await score('checkout')).toEqual({ complete: true, score: 100 });
      expect(await score('regressed')).toEqual({ complete: true, score: 0 });
      expect(await score('nobody')).toEqual({ complete: true, score: 75 });
    });

    test('what cannot be read is a 400', async () => {
      expect((await post('/canary/plumbline?application=a', '{"scopes":')).status).toBe(400);
      expect((await post('/canary/plumbline?application=a', { scopes: {} })).status).toBe(400);
      expect((await get('/canary/no-such-execution')).status).toBe(400);
    });
  });

  test('as RemoteJudge of a Kayenta: the score, its class, and that the series sent were not judged', async () => {
    const ask = async (app: string) =>
      await (
        await post('/judge', {
          canaryConfig: {
            name: 'c',
            applications: [app],
            judge: { name: 'RemoteJudge-v1.0', judgeConfigurations: { canary: 'v2', baseline: 'v1' } },
            metrics: [],
            classifier: { groupWeights: {} },
          },
          scoreThresholds: { pass: 95, marginal: 75 },
          metricSetPairList: [
            {
              id: '1',
              name: 'latency',
              tags: { a: 'b' },
              values: { control: [1, 2], experiment: [1, 'NaN'] },
              scopes: { control: { startTimeMillis: Date.now() - 1_800_000 } },
            },
          ],
        })
      ).json();
    expect(await ask('checkout')).toMatchObject({
      score: { score: 100, classification: 'Pass' },
      results: [{ id: '1', name: 'latency', classification: 'Nodata' }],
      groupScores: [{ score: 100 }],
    });
    expect(await ask('regressed')).toMatchObject({ score: { score: 0, classification: 'Fail' } });
    expect(await ask('idle')).toMatchObject({ score: { score: 75, classification: 'Marginal' } });
  });

  describe('for Flagger', () => {
    const hook = async (type: string, name: string, metadata?: Readonly<Record<string, string>>) => {
      const [canary] = await example('flagger.yaml');
      const { webhooks } = (
        canary as unknown as { spec: { analysis: { webhooks: { type: string; url: string }[] } } }
      ).spec.analysis;
      const url = webhooks.find((webhook) => webhook.type === type)?.url ?? '';
      const response = await post(url.replace(/^http:\/\/[^/]+/, ''), {
        name,
        namespace: 'shop',
        phase: 'Progressing',
        checksum: '7d8c6b5f4',
        ...(metadata && { metadata }),
      });
      return { status: response.status, reason: await response.text() };
    };

    test.for([
      // Verdict:                     pass  fail  unknown
      ['rollout', [200, 409, 200]],
      ['confirm-traffic-increase', [200, 409, 409]],
      ['confirm-promotion', [200, 409, 409]],
      ['rollback', [409, 200, 409]],
      ['event', [200, 200, 200]],
    ] as const)('the hook %s answers by the verdict', async ([type, expected]) => {
      const statuses = [];
      for (const name of ['podinfo', 'badinfo', 'nobody']) statuses.push((await hook(type, name)).status);
      expect(statuses).toEqual(expected);
    });

    test('"no" comes with its reason, which Flagger shows', async () => {
      expect((await hook('confirm-promotion', 'badinfo')).reason).toMatch(/^fail: The canary is slower/);
    });

    test('versions that the metadata names are compared in place of the primary', async () => {
      const metadata = { app: 'regressed', canary: 'v2', baseline: 'v1' };
      expect((await hook('rollback', 'checkout', metadata)).status).toBe(200);
    });

    test('events are kept', async () => {
      await hook('event', 'podinfo', { eventMessage: 'New revision detected!', eventType: 'Normal' });
      const { events } = (await (await get('/api/v1/events')).json()) as { events: object[] };
      expect(events.at(-1)).toMatchObject({ name: 'podinfo', message: 'New revision detected!' });
    });

    test('a body that is not right is a 400, which does not roll back', async () => {
      expect((await post('/flagger/rollback', '{')).status).toBe(400);
      expect((await get('/flagger/rollback')).status).toBe(405);
    });
  });

  test('watched apps are in the gauges without being asked about', async () => {
    await until(async () => (await (await get('/metrics')).text()).includes('app="regressed"'));
    const metrics = await (await get('/metrics')).text();
    const labels = 'namespace="shop",app="regressed",canary="v2",baseline="v1"';
    expect(metrics).toContain(`plumbline_verdict{${labels},verdict="fail"} 1\n`);
    expect(metrics).toContain(`plumbline_verdict{${labels},verdict="pass"} 0\n`);
    expect(metrics).toMatch(/plumbline_verdict_delta_ratio\{.*app="regressed".*metric="p99"\} 0\.[23]\d+\n/);
  });

  test('the metric template of Flagger finds the gauge of an app that is watched by app', async () => {
    const template = (await example('flagger.yaml'))[1] as unknown as { spec: { query: string } };
    const query = template.spec.query.replace('{{ namespace }}', 'shop').replace('{{ target }}', 'badinfo');
    const wanted = [...query.matchAll(/\w+="[^"]*"/g)].map(([matcher]) => matcher);
    expect(wanted).toContain('verdict="fail"');
    await until(async () => (await (await get('/metrics')).text()).includes('app="badinfo"'));
    const lines = (await (await get('/metrics')).text()).split('\n');
    const found = lines.filter(
      (line) => line.startsWith('plumbline_verdict{') && wanted.every((matcher) => line.includes(matcher)),
    );
    expect(found.map((line) => line.slice(-2))).toEqual([' 1']);
  });

  test('a judge that restarts answers the same', async () => {
    const query = 'app=regressed&canary=v2&baseline=v1&since=30m';
    const other = await startJudge(`prometheus: { url: "${prometheus.url}" }`);
    try {
      const theirs = (await (await fetch(`${other.url}/api/v1/verdict?${query}`)).json()) as VerdictAnswer;
      const ours = await verdict(query);
      expect(theirs.window).toEqual(ours.window);
      expect(theirs).toEqual(ours);
    } finally {
      await other.stop();
    }
  });

  test('two hundred who ask at the same time all get an answer', async () => {
    const names = ['checkout', 'regressed', 'idle', 'nobody'];
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => verdict(`app=${names[i % 4]}&since=${1200 + 30 * (i % 20)}s`)),
    );
    const words = new Set(answers.map(({ app, verdict: word, reasons }) => `${app} ${word} ${reasons[0]}`));
    expect([...words].filter((word) => word.includes('SOURCE_UNAVAILABLE'))).toEqual([]);
    expect([...words].some((word) => word.startsWith('regressed fail'))).toBe(true);
  });

  test('paths that are not there say which are', async () => {
    const response = await get('/none');
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('/api/v1/verdict?app=NAME');
    expect((await get('/healthz')).status).toBe(200);
  });
});

describe('judge.yaml', async () => {
  const objects = (await example('judge.yaml')) as unknown as readonly (Readonly<Record<string, unknown>> & {
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly namespace: string };
  })[];
  const find = (kind: string) => {
    const found = objects.find((object) => object.kind === kind);
    if (found === undefined) throw new Error(`No ${kind}`);
    return found;
  };
  const configWith = (changes: Readonly<Record<string, string>>) => {
    const { data } = find('ConfigMap') as unknown as { data: { 'judge.yaml': string } };
    return Object.entries(changes).reduce((yaml, [from, to]) => {
      expect(yaml).toContain(from);
      return yaml.replace(from, to);
    }, data['judge.yaml']);
  };
  const here = {
    'listen: 0.0.0.0:9737\n': '',
    '/etc/plumbline-token/token': 'token',
    'http://prometheus.monitoring:9090': 'http://127.0.0.1:9',
  };

  test('has a configuration with which the judge starts, and answers who has the token', async () => {
    const judge = await startJudge(configWith(here), [], { token });
    try {
      const status = async (path: string, headers = {}) =>
        (await fetch(judge.url + path, { headers })).status;
      expect(await status('/metrics')).toBe(401);
      expect(await status('/metrics', { authorization: `Bearer ${token}` })).toBe(200);
      expect(await status('/readyz')).toBe(200);
    } finally {
      await judge.stop();
    }
  });

  test('does not start before a token is set', async () => {
    const { stringData } = find('Secret') as unknown as { stringData: { token: string } };
    await expect(startJudge(configWith(here), [], { token: stringData.token })).rejects.toThrow(
      /expected one token a line/,
    );
  });

  test('is at the address that the other examples ask', async () => {
    const { name, namespace } = find('Service').metadata;
    for (const file of ['argo-rollouts-web', 'argo-rollouts-kayenta', 'flagger', 'kayenta-remote-judge']) {
      const text = await readFile(new URL(`../../deploy/examples/${file}.yaml`, import.meta.url), 'utf8');
      const addresses = new Set(text.match(/http:\/\/plumbline[\w.:-]+/g));
      expect([...addresses]).toEqual([`http://${name}.${namespace}:9737`]);
    }
    const web = await readFile(
      new URL('../../deploy/examples/argo-rollouts-web.yaml', import.meta.url),
      'utf8',
    );
    expect(web).toContain(`{ name: ${find('Secret').metadata.name}, key: token }`);
  });
});

describe('plumbline judge --listen with a Prometheus that', () => {
  const withBackend = async (
    answer: Parameters<typeof createServer>[1],
    use: (judge: RunningJudge) => Promise<void>,
  ) => {
    const backend: Server = createServer(answer ?? (() => undefined)).listen(0, '127.0.0.1');
    await once(backend, 'listening');
    const judge = await startJudge(
      `prometheus: { url: "http://127.0.0.1:${(backend.address() as AddressInfo).port}", timeout: 300ms }`,
    );
    try {
      await use(judge);
    } finally {
      await judge.stop();
      backend.closeAllConnections();
      backend.close();
    }
  };

  test.for([
    ['does not answer in time', () => undefined, /has not answered within 0\.3 s/],
    [
      'fails',
      (_: unknown, response: { writeHead: (status: number) => { end: (text: string) => void } }) => {
        response.writeHead(500).end('<b>oh</b>');
      },
      /answers with status 500/,
    ],
    [
      'talks no JSON',
      (_: unknown, response: { end: (text: string) => void }) => {
        response.end('<html>');
      },
      /does not answer in JSON/,
    ],
    [
      'hangs up',
      (_: unknown, response: { destroy: () => void }) => {
        response.destroy();
      },
      /does not answer: /,
    ],
  ] as const)('%s is a 200 and inconclusive, with the reason', async ([, answer, reason]) => {
    await withBackend(answer, async (judge) => {
      const response = await fetch(`${judge.url}/api/v1/verdict?app=checkout`);
      expect(response.status).toBe(200);
      const body = (await response.json()) as VerdictAnswer;
      expect(body).toMatchObject({ verdict: 'inconclusive', reasons: ['SOURCE_UNAVAILABLE'] });
      expect(body.message).toMatch(reason);
      const gate = await fetch(`${judge.url}/flagger/rollback`, { method: 'POST', body: '{"name":"a"}' });
      expect(gate.status).toBe(409);
    });
  });
});
