// What Prometheus sees: promtool lints a scrape, and a real server stores it and answers queries.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { execa } from 'execa';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { classicBoundsSeconds } from '../../agent/src/series/native.ts';
import { createCgroupTree, type CgroupTree } from '../../demo/cgroup.ts';
import { plumbline, startAgent, type RunningAgent } from '../support/agent.ts';
import { get, openConnection } from '../support/client.ts';
import { describeKernel } from '../support/kernel.ts';
import { freePort, startNginx, type Nginx } from '../support/nginx.ts';
import { quantile, requestCount } from '../support/series.ts';

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
    const folder = await mkdtemp(join(tmpdir(), 'plumbline-prometheus-'));
    const port = await freePort();
    const target = new URL(agent.url).host;
    await writeFile(
      join(folder, 'prometheus.yml'),
      `global: { scrape_interval: 1s }
scrape_configs: [{ job_name: plumbline, static_configs: [{ targets: ["${target}"] }] }]`,
    );
    const prometheus = execa(
      'prometheus',
      [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { reject: false },
    );
    const query = async (promql: string): Promise<number> => {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(promql)}`;
      const answer = (await fetch(url).then(
        (response) => response.json(),
        () => undefined,
      )) as { data: { result: { value: [number, string] }[] } } | undefined;
      return Number(answer?.data.result[0]?.value[1] ?? NaN);
    };
    try {
      const selector = 'plumbline_http_request_duration_seconds_bucket{app="checkout"}';
      for (let waitedMs = 0; waitedMs < 20_000 && !((await query(`count(${selector})`)) > 0); waitedMs += 200)
        await sleep(200);
      expect(await query('up')).toBe(1);
      const series = await agent.series();
      expect(await query('plumbline_http_request_duration_seconds_count{app="checkout"}')).toBe(
        requestCount(series, 'checkout'),
      );
      // Interpolated in other ways, but in the same classic bucket.
      const p50 = await query(`histogram_quantile(0.5, ${selector})`);
      const bucketOf = (seconds: number) => classicBoundsSeconds.findIndex((bound) => seconds <= bound);
      expect(bucketOf(p50)).toBeGreaterThan(0);
      expect(bucketOf(p50)).toBe(bucketOf(quantile(series, 'checkout', 0.5)));
      expect(await query('plumbline_probe_restarts_total')).toBe(0);
    } finally {
      prometheus.kill();
      await prometheus;
      await rm(folder, { recursive: true });
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
    const { stdout } = await execa(process.execPath, [
      plumbline,
      'top',
      '--url',
      agent.url,
      '--count',
      '2',
      '--interval',
      '0.5',
    ]);
    expect(stdout).toMatch(/APP +VERSION +REQUESTS/);
    expect(stdout).toMatch(/shop\/checkout +v1 +40 /);
    expect(stdout).not.toContain('\x1b');
  });
});
