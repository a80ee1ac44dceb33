// In: what versions did, as a story. Out: a real Prometheus that has it stored, as if it had scraped the agents.
import { execa } from 'execa';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { classicBoundsSeconds } from '../../agent/src/series/native.ts';
import { metricNames } from '../../agent/src/series/names.ts';
import { freePort } from './nginx.ts';

/** One version on one node; times are seconds after the begin of the story. */
export interface Story {
  readonly node: string;
  readonly version: string;
  readonly app?: string;
  readonly namespace?: string;
  readonly requestsPerSecond?: number;
  readonly errorsPerSecond?: number;
  /** Median duration, by time. */
  readonly seconds: (at: number) => number;
  readonly netSeconds?: (at: number) => number;
  readonly from?: number;
  readonly until?: number;
  /** The agent starts again: all its counters do. */
  readonly resetsAt?: number;
  /** No scrape has reached the node between these. */
  readonly gap?: readonly [from: number, until: number];
}

/** A counter of the users' own, such as checkout_started_total{version="v1"}. */
export interface Total {
  readonly series: string;
  readonly perSecond: number;
}

export interface Stored {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** So far into the future the stories go on, so that a test that takes its time does not find them stale. */
const aheadSeconds = 600;

/** Stores `stories` of `minutes` before now, scraped every `everySeconds`, and starts a Prometheus on it. */
export const storeStories = async (
  stories: readonly Story[],
  minutes: number,
  { everySeconds = 15, more = [] }: { readonly everySeconds?: number; readonly more?: readonly Total[] } = {},
): Promise<Stored> => {
  const folder = await mkdtemp(join(tmpdir(), 'plumbline-tsdb-'));
  const file = join(folder, 'metrics.om');
  const now = Math.floor(Date.now() / 1000);
  const [begin, end] = [now - 60 * minutes, now + aheadSeconds];
  const out = createWriteStream(file);
  for (const story of stories) {
    for (const lines of storyLines(story, begin, end, everySeconds))
      if (!out.write(lines)) await once(out, 'drain');
  }
  for (const { series, perSecond } of more) {
    for (let at = begin; at <= end; at += everySeconds)
      out.write(`${series} ${perSecond * (at - begin)} ${at}\n`);
  }
  out.end('# EOF\n');
  await once(out, 'finish');
  await execa('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', file, join(folder, 'data')]);
  await rm(file);
  return startStored(folder);
};

const startStored = async (folder: string): Promise<Stored> => {
  const port = await freePort();
  await writeFile(join(folder, 'prometheus.yml'), 'scrape_configs: []\n');
  const prometheus = execa(
    'prometheus',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { reject: false },
  );
  const url = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  for (let waitedMs = 0; waitedMs < 30_000 && !(await isReady()); waitedMs += 100) await sleep(100);
  return {
    url,
    stop: async () => {
      prometheus.kill();
      await prometheus;
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** Shares of requests below each bound for a log-logistic duration: a body and a tail, without a table. */
const shareBelow = (bound: number, median: number) => 1 / (1 + (median / bound) ** 6);

function* storyLines(story: Story, begin: number, end: number, every: number): Iterable<string> {
  const { node, version, app = 'checkout', namespace = 'shop', requestsPerSecond = 50 } = story;
  const { errorsPerSecond = 0, seconds, netSeconds = seconds, from = 0, until = Infinity } = story;
  const { resetsAt = Infinity, gap = [Infinity, Infinity] } = story;
  const base = `namespace="${namespace}",app="${app}",version="${version}",node="${node}",job="plumbline",protocol="http1"`;
  const newState = () => ({ durations: newCounts(), net: newCounts(), failed: newCounts(), delay: 0 });
  let state = newState();
  let requests = 0;
  for (let at = begin; at <= end; at += every) {
    const offset = at - begin;
    if (offset < from || offset > until) continue;
    if (offset >= resetsAt && offset < resetsAt + every) state = newState();
    requests += requestsPerSecond * every;
    const whole = Math.floor(requests);
    requests -= whole;
    addRequests(state.durations, whole, seconds(offset));
    addRequests(state.net, whole, netSeconds(offset));
    state.delay += whole * Math.max(0, seconds(offset) - netSeconds(offset));
    addRequests(state.failed, errorsPerSecond * every, 0.01);
    if (offset >= gap[0] && offset < gap[1]) continue;
    let lines = histogramLines(metricNames.duration, `${base},code="2xx"`, state.durations, at);
    lines += histogramLines(metricNames.netDuration, `${base},code="2xx"`, state.net, at);
    lines += `${metricNames.schedDelay}{${base}} ${state.delay} ${at}\n`;
    if (errorsPerSecond > 0)
      lines += histogramLines(metricNames.duration, `${base},code="5xx"`, state.failed, at);
    yield lines;
  }
}

const newCounts = () => new Float64Array(classicBoundsSeconds.length + 1);

/** Adds requests to cumulative counts; the same number below each bound, however often it is done. */
const addRequests = (counts: Float64Array, requests: number, median: number) => {
  classicBoundsSeconds.forEach((bound, i) => {
    counts[i] = (counts[i] ?? 0) + Math.round(requests * shareBelow(bound, median));
  });
  counts[classicBoundsSeconds.length] = (counts.at(-1) ?? 0) + requests;
};

const histogramLines = (name: string, labels: string, counts: Float64Array, at: number): string => {
  let lines = '';
  classicBoundsSeconds.forEach((bound, i) => {
    lines += `${name}_bucket{${labels},le="${bound}"} ${counts[i] ?? 0} ${at}\n`;
  });
  const total = counts.at(-1) ?? 0;
  return `${lines}${name}_bucket{${labels},le="+Inf"} ${total} ${at}\n${name}_count{${labels}} ${total} ${at}\n`;
};
