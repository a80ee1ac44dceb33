// In: numbers of versions, 250 and 1250 by default. Out: how long writing a scrape of them takes, and for how long it
// lets nobody else have a turn, beside copying as many bytes once. What sending takes is in bench:scrape.
import { performance } from 'node:perf_hooks';
import type { Exposition, Family } from '../../agent/src/exposition/families.ts';
import { createProtobufExposition } from '../../agent/src/exposition/protobuf.ts';
import { createTextExposition } from '../../agent/src/exposition/text.ts';
import { bucketCount } from '../../agent/src/series/native.ts';
import { head, row } from './table.ts';

const given = process.argv.slice(2).map(Number);
const sizes = given.length > 0 ? given : [250, 1250];
const codes = ['2xx', '3xx', '4xx', '5xx'];
const countersOfEach = 30;
const scrapes = 15;

/** Two histograms of four status classes and thirty counters for each version, as all probes together have. */
const madeUp = (versions: number): readonly Family[] => {
  const common = (i: number) => ({ namespace: 'default', app: `app-${i >> 4}`, version: `v${i}` });
  const createdMs = 1_790_000_000_000;
  const histograms = (net: number) =>
    Array.from({ length: versions * codes.length }, (_, i) => {
      const counts = new Float64Array(bucketCount);
      for (let bucket = 160; bucket < 200; bucket++) counts[bucket] = (i * 7 + bucket * 13 + net) % 50;
      const labels = { ...common(i >> 2), code: codes[i % 4] ?? '', protocol: 'http1', method: 'GET' };
      return { labels, counts, sumSeconds: i * 0.37, createdMs };
    });
  const [durations, net] = [histograms(0), histograms(1)];
  const counters = Array.from({ length: versions * countersOfEach }, (_, i) => ({
    labels: { ...common(i % versions), peer_port: String(i) },
    value: i * 1.5,
    createdMs,
  }));
  return [
    {
      type: 'histogram',
      name: 'plumbline_http_request_duration_seconds',
      help: 'D.',
      samples: () => durations,
    },
    {
      type: 'histogram',
      name: 'plumbline_http_request_net_duration_seconds',
      help: 'N.',
      samples: () => net,
    },
    { type: 'counter', name: 'plumbline_made_up_total', help: 'C.', samples: () => counters },
  ];
};

interface Written {
  readonly ms: number;
  readonly heldMs: number;
  readonly bytes: number;
}

const write = async ({ scrape }: Exposition): Promise<Written> => {
  const startMs = performance.now();
  let [bytes, heldMs, sinceMs] = [0, 0, startMs];
  const isHeld = () => {
    const now = performance.now();
    heldMs = Math.max(heldMs, now - sinceMs);
    sinceMs = now;
  };
  const turns = setInterval(isHeld, 1);
  for await (const piece of scrape()) bytes += piece.length;
  isHeld();
  clearInterval(turns);
  return { ms: performance.now() - startMs, heldMs, bytes };
};

const copyMs = (bytes: number): number => {
  const from = Buffer.alloc(bytes, 1);
  const startMs = performance.now();
  Buffer.from(from);
  return performance.now() - startMs;
};

const median = (values: readonly number[]): string =>
  ([...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN).toFixed(1);

head('versions', 'format', 'MB', 'written in, ms', 'event loop held, ms', 'copying as many bytes, ms');
for (const versions of sizes) {
  const families = madeUp(versions);
  const expositions = {
    text: createTextExposition(families, 'n1'),
    protobuf: createProtobufExposition(families, 'n1'),
  };
  for (const [format, exposition] of Object.entries(expositions)) {
    const written: Written[] = [];
    for (let index = 0; index < scrapes; index++) written.push(await write(exposition));
    const bytes = written[0]?.bytes ?? 0;
    const copied = Array.from({ length: scrapes }, () => copyMs(bytes));
    const [ms, heldMs] = [written.map((one) => one.ms), written.map((one) => one.heldMs)];
    row(versions, format, (bytes / 1e6).toFixed(1), median(ms), median(heldMs), median(copied));
  }
}
