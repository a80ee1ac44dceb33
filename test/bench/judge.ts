// In: a real Prometheus with an hour of fifty nodes. Out: how long the judge takes to answer.
import { execa } from 'execa';
import { performance } from 'node:perf_hooks';
import { createPrometheus } from '../../agent/src/judge/prometheus.ts';
import { loadJudgeConfig } from '../../agent/src/judge/config.ts';
import { createService } from '../../agent/src/judge/service.ts';
import { plumbline } from '../support/agent.ts';
import { storeStories, type Story } from '../support/tsdb.ts';

const nodes = Number(process.argv[2] ?? 50);
const minutes = Number(process.argv[3] ?? 60);
const runs = 5;

/** Tails that differ from node to node, so that the bounds that are asked for are those of a real fleet. */
const stories = Array.from({ length: nodes }, (_, i): readonly Story[] => {
  const at = {
    app: 'checkout',
    node: `n${i}`,
    seconds: (time: number) => 0.08 + 0.04 * Math.sin(i + time / 300),
  };
  return [
    { ...at, version: 'v1' },
    { ...at, version: 'v2', from: 60 },
  ];
}).flat();

process.stderr.write(`bench: storing ${minutes} minutes of ${nodes} nodes …\n`);
const stored = await storeStories(stories, minutes, { everySeconds: 30 });
try {
  const config = await loadJudgeConfig(undefined);
  const prometheus = createPrometheus({ ...config.prometheus, url: stored.url, timeoutMs: 60_000 });
  const ask = () => createService({ prometheus, config }).verdict({ app: 'checkout' });
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const begin = performance.now();
    const { verdict, samples, grade } = await ask();
    times.push(performance.now() - begin);
    process.stderr.write(
      `bench: ${verdict} on ${samples.canary} requests, ${grade.nodes.length} nodes, ${times.at(-1)?.toFixed(0)} ms\n`,
    );
  }
  const begin = performance.now();
  await execa(process.execPath, [plumbline, 'judge', '-p', stored.url, '--app', 'checkout'], {
    reject: false,
  });
  const whole = performance.now() - begin;
  const [first = NaN, ...rest] = times;
  const median = rest.sort((a, b) => a - b)[Math.floor(rest.length / 2)] ?? NaN;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  process.stdout
    .write(`| nodes | minutes | first answer | later answers, median | plumbline judge, from start to exit |
| --- | --- | --- | --- | --- |
| ${nodes} | ${minutes} | ${seconds(first)} | ${seconds(median)} | ${seconds(whole)} |
`);
} finally {
  await stored.stop();
}
