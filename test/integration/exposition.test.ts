// What Prometheus sees: promtool lints a scrape, and a real server stores it and answers queries.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { execa } from 'execa';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { classicBoundsSeconds } from '../../agent/src/series/native.ts';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { plumbline, startAgent, type RunningAgent } from '../support/agent.ts';
import { get, openConnection } from '../support/client.ts';
import { describeKernel } from '../support/kernel.ts';
import { startNginx, type Nginx } from '../support/nginx.ts';
import { until, withPrometheus, type Query } from '../support/prometheus.ts';
import { quantile, requestCount } from '../support/series.ts';

const rules = new URL('../../deploy/prometheus/', import.meta.url).pathname;
const classicBucketOf = (seconds: number) => classicBoundsSeconds.findIndex((bound) => seconds <= bound);

describeKernel('exposition', () => {
  let tree: CgroupTree;
  let nginx: Nginx;
  let agent: RunningAgent;
  const requests = 40;

  beforeAll(async () => {
    tree = await createCgroupTree('plumbline-test-exposition');
    nginx = await startNginx({ tree, cgroup: 'checkout-v1' });
    agent = await startAgent(`
node: n1
workloads: { static: [{ cgroup: "${tree.path}/*-*", namespace: shop, app: $1, version: $2 }] }`);
    const connection = await openConnection(nginx.port);
    for (let index = 1; index <= requests; index++) {
      connection.send(get('/hello'));
      await connection.responses(index);
    }
    connection.socket.destroy();
    await agent.settle();
  });
  afterAll(async () => {
    await agent.stop();
    await nginx.stop();
    await tree.remove();
  });

  test('promtool finds nothing wrong', async () => {
    const { stdout, stderr, exitCode } = await execa('promtool', ['check', 'metrics'], {
      input: await agent.metrics(),
      reject: false,
    });
    expect(stdout + stderr).toBe('');
    expect(exitCode).toBe(0);
  });

  test('every sample of a version has its labels', async () => {
    const metrics = await agent.metrics();
    expect(metrics).toMatch(
      /^plumbline_http_request_duration_seconds_count\{node="n1",namespace="shop",app="checkout",version="v1",protocol="http1",code="2xx"\} 40$/m,
    );
  });

  test('a real Prometheus stores histograms, in OpenMetrics too, and computes the quantile that we do', async () => {
    await withPrometheus(new URL(agent.url).host, [], async (query) => {
      const selector = 'plumbline_http_request_duration_seconds_bucket{app="checkout"}';
      await until(async () => (await query(`count(${selector})`)) > 0);
      expect(await query('up')).toBe(1);
      const series = await agent.series();
      expect(await query('plumbline_http_request_duration_seconds_count{app="checkout"}')).toBe(
        requestCount(series, 'checkout'),
      );
      // Interpolated in other ways, but in the same classic bucket.
      const p50 = await query(`histogram_quantile(0.5, ${selector})`);
      expect(classicBucketOf(p50)).toBeGreaterThan(0);
      expect(classicBucketOf(p50)).toBe(classicBucketOf(quantile(series, 'checkout', 0.5)));
      expect(await query('plumbline_probe_restarts_total')).toBe(0);
    });
  });

  test('a Prometheus with native histograms gets those, and finds the same quantiles as one without', async () => {
    const host = new URL(agent.url).host;
    await withPrometheus(host, ['--enable-feature=native-histograms'], async (native) => {
      await withPrometheus(host, [], async (classic) => {
        const name = 'plumbline_http_request_duration_seconds';
        await until(async () => (await classic(`count(${name}_bucket{app="checkout"})`)) > 0);
        await until(async () => (await native(`histogram_count(${name}{app="checkout"})`)) > 0);
        expect(await native('up')).toBe(1);
        expect(await native(`histogram_count(${name}{app="checkout"})`)).toBe(requests);
        expect(await native(`count(${name}_bucket)`)).toBeNaN();
        const net = name.replace('duration', 'net_duration');
        for (const histogram of [name, net]) {
          for (const q of [0.1, 0.5, 0.9, 0.99]) {
            const ofNative = await native(`histogram_quantile(${q}, ${histogram}{app="checkout"})`);
            const ofClassic = await classic(`histogram_quantile(${q}, ${histogram}_bucket{app="checkout"})`);
            expect(ofNative).toBeGreaterThan(0);
            const apart = classicBucketOf(ofNative) - classicBucketOf(ofClassic);
            expect(Math.abs(apart)).toBeLessThanOrEqual(1);
          }
        }
        const counter = 'plumbline_http_request_sched_delay_seconds_total';
        expect(await native(`sum(${counter})`)).toBe(await classic(`sum(${counter})`));
        expect(await native('plumbline_probe_up{probe="http"}')).toBe(1);
        const others = await native('count({__name__=~"plumbline_(agent|probe)_.+"})');
        expect(others).toBe(await classic('count({__name__=~"plumbline_(agent|probe)_.+"})'));
      });
    });
  });

  test('what is large is compressed for a client that takes it, and for no other', async () => {
    for (const path of ['/metrics', '/api/v1/series', '/api/v1/apps']) {
      const [plain, compressed] = await Promise.all(
        ['identity', 'gzip'].map((encoding) =>
          fetch(agent.url + path, { headers: { 'accept-encoding': encoding } }),
        ),
      );
      expect(plain?.headers.get('content-encoding')).toBeNull();
      expect(compressed?.headers.get('content-encoding')).toBe('gzip');
      const keys = async (response?: Response) => (await response?.text())?.match(/[a-z_]{8,}/g);
      expect(await keys(compressed)).toEqual(await keys(plain));
    }
  });

  test('health, readiness, wrong paths and wrong methods have their status', async () => {
    const status = async (path: string, method = 'GET') => (await fetch(agent.url + path, { method })).status;
    expect(await status('/healthz')).toBe(200);
    expect(await status('/readyz')).toBe(200);
    expect(await status('/none')).toBe(404);
    expect(await status('/metrics', 'POST')).toBe(405);
    expect(await status('/metrics', 'HEAD')).toBe(200);
  });

  test('top shows the version, in plain lines when it is not a terminal', async () => {
    const options = ['--url', agent.url, '--count', '2', '--interval', '0.5'];
    const { stdout } = await execa(process.execPath, [plumbline, 'top', ...options]);
    expect(stdout).toMatch(/APP +VERSION +REQUESTS/);
    // The 40 requests were before it looked.
    expect(stdout.match(/shop\/checkout +v1 +0 +0\.0 /g)).toHaveLength(2);
    expect(stdout).not.toContain('\x1b');
  });

  test('the rules record the same from native histograms as from classic ones', async () => {
    const host = new URL(agent.url).host;
    const ruleFiles = [`${rules}rules.yaml`, `${rules}rules-native.yaml`];
    const { groups } = parse(await readFile(`${rules}rules-native.yaml`, 'utf8')) as Rules;
    const names = groups.flatMap(({ rules }) => rules.map(({ record }) => record));
    expect(names).toHaveLength(9);
    const recorded = (query: Query) =>
      Promise.all(names.map((name) => query(`${name}{namespace="shop", app="checkout", version="v1"}`)));
    const native = ['--enable-feature=native-histograms'];
    const connection = await openConnection(nginx.port);
    let answers = 0;
    await withPrometheus(
      host,
      native,
      async (ofNative) => {
        await withPrometheus(
          host,
          [],
          async (ofClassic) => {
            const both = async () => [await recorded(ofNative), await recorded(ofClassic)] as const;
            await until(async () => {
              connection.send(get('/hello') + get('/broken'));
              await connection.responses((answers += 2));
              return (await both()).flat().every((value) => value > 0 || value === 0);
            });
            const [natives, classics] = await both();
            for (const [index, name] of names.entries()) {
              const [value = NaN, classic = NaN] = [natives[index], classics[index]];
              const bucketsApart = classicBucketOf(value) - classicBucketOf(classic);
              if (name.endsWith('_5m')) expect(Math.abs(bucketsApart), name).toBeLessThanOrEqual(1);
              else expect(Math.abs(value - classic), name).toBeLessThanOrEqual(classic / 2);
            }
          },
          ruleFiles,
        );
      },
      ruleFiles,
    );
    connection.socket.destroy();
  });
});

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly record: string }[] }[];
}
