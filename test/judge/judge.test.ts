// `plumbline judge` as it is called, on a real Prometheus that has stored what versions did on several nodes.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { execa } from 'execa';
import { readdir, readFile } from 'node:fs/promises';
import type { VerdictAnswer } from '../../agent/src/history/answer.ts';
import { loadJudgeConfig } from '../../agent/src/judge/config.ts';
import { plumbline, withFile } from '../support/agent.ts';
import { storeStories, type Story, type Stored, type Total } from '../support/tsdb.ts';

const steady = () => 0.1;
const slower = () => 0.13;
const nodes = ['n1', 'n2', 'n3', 'n4'] as const;

/** v1 on every node, v2 on the first; `canary` and `node` say what is different of them. */
const rollout = (app: string, canary: Partial<Story>, node: Partial<Story> = {}): readonly Story[] => [
  ...nodes.map((name) => ({ app, version: 'v1', node: name, seconds: steady, ...(name === 'n1' && node) })),
  { app, version: 'v2', node: 'n1', seconds: steady, from: 600, ...node, ...canary },
];

const stories: readonly Story[] = [
  ...rollout('healthy', {}),
  ...rollout('regressed', { seconds: slower, netSeconds: slower }),
  ...rollout('neighbour', {}, { seconds: slower, netSeconds: steady }),
  ...rollout('jostled', { seconds: slower, netSeconds: steady }),
  ...rollout('greedy', { seconds: slower, netSeconds: steady }),
  ...rollout('failing', { errorsPerSecond: 2 }),
  ...rollout('restarted', { resetsAt: 1500 }, { resetsAt: 1500, gap: [1500, 1620] }),
  ...rollout('idle', { requestsPerSecond: 0.2 }),
  { app: 'alone', version: 'v1', node: 'n1', seconds: steady },
  { app: 'twice', namespace: 'a', version: 'v1', node: 'n1', seconds: steady },
  { app: 'twice', namespace: 'b', version: 'v1', node: 'n1', seconds: steady },
];

const orders = (version: string, completedPerSecond: number): readonly Total[] => [
  { series: `orders_started_total{app="healthy",version="${version}",node="n1"}`, perSecond: 20 },
  {
    series: `orders_completed_total{app="healthy",version="${version}",node="n1"}`,
    perSecond: completedPerSecond,
  },
];

/** Seconds a second for which v2 of an app waited for a CPU that `culprit` held. */
const blame = (app: string, culprit: string, perSecond: number): Total => {
  const [culpritApp = '', culpritVersion = ''] = culprit.split(' ');
  const labels = `culprit_namespace="shop",culprit_app="${culpritApp}",culprit_version="${culpritVersion}"`;
  return {
    series: `plumbline_cpu_blame_seconds_total{namespace="shop",app="${app}",version="v2",node="n1",${labels}}`,
    perSecond,
  };
};
const waits = [
  ...[blame('jostled', 'batch 7', 0.5), blame('jostled', 'jostled v2', 0.1)],
  ...[blame('greedy', 'batch 7', 0.1), blame('greedy', 'greedy v1', 0.1), blame('greedy', 'greedy v2', 0.5)],
];

describe('plumbline judge', () => {
  let prometheus: Stored;
  beforeAll(async () => {
    prometheus = await storeStories(stories, 40, {
      more: [
        ...waits,
        ...orders('v1', 19),
        ...orders('v2', 12),
        { series: 'unversioned_total', perSecond: 1 },
      ],
    });
  }, 60_000);
  afterAll(() => prometheus.stop());

  const run = (...args: readonly string[]) =>
    execa(process.execPath, [plumbline, 'judge', '--prometheus', prometheus.url, ...args], { reject: false });
  const answerOf = async (...args: readonly string[]) => {
    const { exitCode, stdout, stderr } = await run('--json', ...args);
    expect(stderr).toBe('');
    return { exitCode, ...(JSON.parse(stdout) as VerdictAnswer) };
  };

  test('a canary that is as good as its baseline on the same node passes', async () => {
    const answer = await answerOf('--app', 'healthy', '--canary', 'v2', '--baseline', 'v1');
    expect(answer).toMatchObject({ exitCode: 0, verdict: 'pass', namespace: 'shop' });
    expect(answer.grade).toMatchObject({ name: 'matched', nodes: ['n1'] });
    // 30 minutes at 50 requests a second, less the pod's warm-up, and what the test takes.
    expect(answer.samples.canary).toBeGreaterThan(80_000);
    expect(answer.samples.canary).toBeLessThan(95_000);
  });

  test('a slower canary fails, and the report says by how much', async () => {
    const { exitCode, stdout } = await run('--app', 'regressed');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^FAIL: regressed v2 against v1\n {2}LATENCY_WORSE/);
    expect(stdout).toMatch(/^p99 +\+(2[5-9]|3[0-5])\.\d %/m);
  });

  test('waiting for a neighbour excuses a canary, and waiting for itself does not', async () => {
    expect(await answerOf('--app', 'jostled')).toMatchObject({ verdict: 'skewed' });
    const greedy = await answerOf('--app', 'greedy');
    expect(greedy).toMatchObject({ exitCode: 1, verdict: 'fail' });
    expect(greedy.reasons).toContain('WAITS_FOR_ITSELF');
  });

  test('a neighbour on the node of the canary is not held against its code', async () => {
    expect(await answerOf('--app', 'neighbour')).toMatchObject({
      exitCode: 0,
      verdict: 'skewed',
      code: 'pass',
    });
  });

  test('a canary that fails requests fails', async () => {
    const answer = await answerOf('--app', 'failing');
    expect(answer).toMatchObject({ exitCode: 1, verdict: 'fail', reasons: ['ERRORS_WORSE'] });
    expect(answer.errors.canaryRatio).toBeCloseTo(2 / 52, 2);
  });

  test('counters that start again and a node that was not scraped are no regression', async () => {
    expect(await answerOf('--app', 'restarted')).toMatchObject({ exitCode: 0, verdict: 'pass' });
  });

  test('with too little traffic it says what is missing', async () => {
    const answer = await answerOf('--app', 'idle');
    expect(answer).toMatchObject({ exitCode: 3, verdict: 'inconclusive' });
    expect(answer.reasons).toContain('LOW_TRAFFIC');
  });

  test.for([
    ['an app that nobody knows', ['--app', 'nobody'], 'NO_TRAFFIC', /no request of an app "nobody"/],
    ['an app with one version', ['--app', 'alone'], 'NO_CANARY_TRAFFIC', /Only one version .*: v1/],
    [
      'a version that was never there',
      ['--app', 'healthy', '--canary', 'v9'],
      'NO_CANARY_TRAFFIC',
      /Without a request in this time: v9/,
    ],
    [
      'a canary equal to the baseline',
      ['--app', 'healthy', '--canary', 'v1', '--baseline', 'v1'],
      'SAME_VERSION',
      /nothing to compare/,
    ],
    ['two namespaces with the app', ['--app', 'twice'], 'NAMESPACE_NEEDED', /a, b\. Name one/],
  ] as const)('%s is inconclusive, with the reason', async ([, args, reason, message]) => {
    const answer = await answerOf(...args);
    expect(answer).toMatchObject({ exitCode: 3, verdict: 'inconclusive', reasons: [reason] });
    expect(answer.message).toMatch(message);
  });

  test('a Prometheus that is away is inconclusive, with the reason', async () => {
    const { exitCode, stdout } = await run('--prometheus', 'http://127.0.0.1:9', '--app', 'healthy');
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/Prometheus at 127\.0\.0\.1:9 does not answer: .*ECONNREFUSED/);
  });

  test('what cannot be asked is wrong usage', async () => {
    const { exitCode, stderr } = await run();
    expect(exitCode).toBe(2);
    expect(stderr).toContain('expected --app, --listen or --check-queries');
    const since = await run('--app', 'healthy', '--since', '5');
    expect(since).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('did you mean 5m?') as string,
    });
    const listen = await run('--listen', '--app', 'healthy');
    expect(listen.exitCode).toBe(2);
    expect(listen.stderr).toContain("'-l, --listen' cannot be used with option '-a, --app <name>'");
  });

  const signal = (name: string, numerator: string, denominator: string) => `
  - name: ${name}
    kind: ratio
    better: higher
    numerator: ${numerator}
    denominator: ${denominator}`;
  const perWindow = (metric: string) => `sum by (version, node) (increase(${metric}{app="$app"}[$window]))`;
  const completed = signal('orders', perWindow('orders_completed_total'), perWindow('orders_started_total'));

  test('a business signal fails a canary whose latency is fine', async () => {
    await withFile(`signals:${completed}\n`, async (config) => {
      const answer = await answerOf('--config', config, '--app', 'healthy');
      expect(answer).toMatchObject({ exitCode: 1, verdict: 'fail' });
      expect(answer.reasons).toContain('SIGNAL_WORSE');
      expect(answer.metrics.find(({ metric }) => metric === 'orders')?.state).toBe('worse');
    });
  });

  test('queries that give nothing are told from good ones by --check-queries, and by the verdict', async () => {
    const config = `signals:${completed}${signal('typo', perWindow('order_completd_total'), perWindow('orders_started_total'))}${signal('unversioned', 'increase(unversioned_total[$window])', 'sum by (version (')}
`;
    await withFile(config, async (file) => {
      const { exitCode, stdout } = await run('--config', file, '--app', 'healthy', '--check-queries');
      expect(exitCode).toBe(1);
      expect(stdout).toMatch(/^ok +requests +2 versions on 4 nodes$/m);
      expect(stdout).toMatch(/^ok +orders numerator +2 versions on 1 nodes$/m);
      expect(stdout).toMatch(/^wrong +typo numerator +unknown metric order_completd_total$/m);
      expect(stdout).toMatch(/^wrong +unversioned numerator +.*without the label version/m);
      expect(stdout).toMatch(/^wrong +unversioned denominator +.*refuses a query: .*parse error/m);

      const answer = await answerOf('--config', file, '--app', 'healthy');
      expect(answer.metrics.find(({ metric }) => metric === 'orders')?.state).toBe('worse');
      expect(answer.metrics.find(({ metric }) => metric === 'typo')?.state).not.toBe('worse');
      expect(answer.message).toContain('signal typo: no data for v2 and v1; see judge --check-queries.');
      expect(answer.message).toMatch(/signal unversioned denominator: .* refuses a query: .*parse error/);
    });
    expect((await run('--app', 'healthy', '--check-queries')).exitCode).toBe(0);
    expect((await run('--app', 'nobody', '--check-queries')).exitCode).toBe(1);
    expect(await run('--check-queries')).toMatchObject({ exitCode: 0 });
  });

  describe('in the documentation', () => {
    const blocksOf = async (language: string): Promise<readonly string[]> => {
      const folder = new URL('../../docs/', import.meta.url);
      const names = (await readdir(folder)).filter((name) => name.endsWith('.md'));
      const texts = await Promise.all(names.map((name) => readFile(new URL(name, folder), 'utf8')));
      return texts.flatMap((text) =>
        [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
          ([, block = '']) => block,
        ),
      );
    };

    test('every command runs', async () => {
      const lines = (await blocksOf('console')).flatMap(
        (block) => block.match(/^\$ plumbline judge .*$/gm) ?? [],
      );
      expect(lines.length).toBeGreaterThan(5);
      const config = `{ prometheus: { url: "${prometheus.url}" } }\n`;
      await withFile(config, async (file) => {
        // --listen is what listen.test.ts is about.
        for (const line of lines.filter((command) => !command.includes('--listen'))) {
          const args = line
            .slice('$ plumbline judge '.length)
            .replace('http://prometheus:9090', prometheus.url)
            .replace('--app checkout', '--app healthy')
            .replace('judge.yaml', file)
            .split(' ');
          const { exitCode, stderr } = await run(...args);
          expect({ line, exitCode, stderr }).toEqual({ line, exitCode: 0, stderr: '' });
        }
      });
    });

    test('every configuration of the judge is a right one', async () => {
      const blocks = (await blocksOf('yaml')).filter((block) => /^(prometheus|signals|listen):/m.test(block));
      expect(blocks).toHaveLength(3);
      for (const block of blocks) await withFile(block, loadJudgeConfig);
    });

    test('every query is PromQL', async () => {
      const queries = await blocksOf('promql');
      expect(queries.length).toBeGreaterThan(4);
      const rules = queries.map((expr, i) => ({ record: `query:${i}`, expr }));
      await withFile(JSON.stringify({ groups: [{ name: 'docs', rules }] }), async (file) => {
        const { stdout } = await execa('promtool', ['check', 'rules', file], { reject: false, all: true });
        expect(stdout).toContain(`SUCCESS: ${rules.length} rules found`);
      });
    });
  });
});
