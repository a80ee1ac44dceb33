// In: a target. Out: a real Prometheus that scrapes it every second, and a way to ask it.
import { execa } from 'execa';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './nginx.ts';

/** Value of the first series that a PromQL expression gives; NaN if it gives none. */
export type Query = (promql: string) => Promise<number>;

export const withPrometheus = async (
  target: string,
  options: readonly string[],
  use: (query: Query, url: string) => Promise<void>,
  ruleFiles: readonly string[] = [],
): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-prometheus-'));
  const port = await freePort();
  await writeFile(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ${JSON.stringify(ruleFiles)}
scrape_configs: [{ job_name: plumbline, static_configs: [{ targets: ["${target}"] }] }]`,
  );
  const files = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`];
  const address = `--web.listen-address=127.0.0.1:${port}`;
  const prometheus = execa('prometheus', [...files, address, ...options], { reject: false });
  const base = `http://127.0.0.1:${port}`;
  try {
    await use(async (promql) => {
      const url = `${base}/api/v1/query?query=${encodeURIComponent(promql)}`;
      // It says "Service Unavailable" while it starts.
      const answer = (await fetch(url)
        .then((response) => response.json())
        .catch(() => undefined)) as { data: { result: { value: [number, string] }[] } } | undefined;
      return Number(answer?.data.result[0]?.value[1] ?? NaN);
    }, base);
  } finally {
    prometheus.kill();
    await prometheus;
    await rm(folder, { recursive: true });
  }
};

/** Waits until `isTrue`, for 20 s at most. */
export const until = async (isTrue: () => Promise<boolean>): Promise<void> => {
  for (let waitedMs = 0; waitedMs < 20_000 && !(await isTrue()); waitedMs += 200) await sleep(200);
};
