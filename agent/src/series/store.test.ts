import fc from 'fast-check';
import { expect, test } from 'vitest';
import { probe } from '../probes/http.ts';
import type { Workload } from '../workloads/workload.ts';
import { createStore, type HistogramMetric, type Store } from './store.ts';

const workloads: Readonly<Record<string, Workload>> = {
  '7': { namespace: 'shop', app: 'checkout', version: 'v1' },
  '8': { namespace: 'shop', app: 'checkout', version: 'v2' },
  '9': { namespace: 'shop', app: 'checkout', version: 'v2' },
};
const workloadOf = (id: string): Workload =>
  workloads[id] ?? { namespace: '?', app: 'unknown', version: '?' };

const snapshot = (run: number, maps: Readonly<Record<string, Readonly<Record<string, number>>>>) => ({
  run,
  maps: new Map(Object.entries(maps).map(([name, values]) => [name, new Map(Object.entries(values))])),
});

const histogram = (store: Store, name: string) =>
  store.metrics.find((metric): metric is HistogramMetric => metric.definition.name === name);
const durations = (store: Store) => [
  ...(histogram(store, 'plumbline_http_request_duration_seconds')?.series.values() ?? []),
];
const netDurations = (store: Store) => [
  ...(histogram(store, 'plumbline_http_request_net_duration_seconds')?.series.values() ?? []),
];

test('a request counts in both histograms, and where its delay moved it, in different buckets', () => {
  const store = createStore(probe.metrics);
  store.apply(
    snapshot(1, {
      '@http_requests': { '7,2,134': 10 },
      '@http_delayed': { '7,2,175': 3 },
      '@http_delayed_net': { '7,2,134': 2, '7,2,135': 1 },
      '@http_net_ns': { '7,2': 3_000_000_000 },
      '@http_delay_ns': { '7,2': 2_000_000_000 },
    }),
    workloadOf,
  );
  const [all] = durations(store);
  const [net] = netDurations(store);
  expect(all?.labels).toEqual({
    namespace: 'shop',
    app: 'checkout',
    version: 'v1',
    protocol: 'http1',
    code: '2xx',
  });
  expect([all?.counts[134], all?.counts[175], all?.sumSeconds]).toEqual([10, 3, 5]);
  expect([net?.counts[134], net?.counts[135], net?.counts[175], net?.sumSeconds]).toEqual([12, 1, 0, 3]);
});

test('no sum falls, whatever came between the prints of two maps', () => {
  const store = createStore(probe.metrics);
  const sums = () => [...durations(store), ...netDurations(store)].map(({ sumSeconds }) => sumSeconds);
  const values = fc.record({ net: fc.nat(), delay: fc.nat() });
  fc.assert(
    fc.property(fc.array(values, { maxLength: 5 }), (growths) => {
      let [net, delay, before] = [0, 0, sums()];
      for (const growth of growths) {
        net += growth.net;
        delay += growth.delay;
        const maps = { '@http_net_ns': { '7,2': net }, '@http_delay_ns': { '7,2': delay } };
        store.apply(snapshot(1, maps), workloadOf);
        for (const [position, sum] of sums().entries())
          expect(sum).toBeGreaterThanOrEqual(before[position] ?? 0);
        before = sums();
      }
    }),
  );
});

test('probes that name the same metric share it, each with labels of its own', () => {
  const other = probe.metrics.map((metric) => ({ ...metric, labels: { protocol: 'http9' } }));
  const store = createStore([...probe.metrics, ...other]);
  expect(store.metrics).toHaveLength(probe.metrics.length);
  store.apply(snapshot(1, { '@http_requests': { '7,2,100': 4 } }), workloadOf);
  expect(durations(store).map(({ labels, counts }) => [labels.protocol, counts[100]])).toEqual([
    ['http1', 4],
    ['http9', 4],
  ]);
});

test('cgroups of one version add up', () => {
  const store = createStore(probe.metrics);
  store.apply(snapshot(1, { '@http_requests': { '8,2,100': 1, '9,2,100': 2 } }), workloadOf);
  expect(durations(store).map(({ counts }) => counts[100])).toEqual([3]);
});

test('only growth is added, and a new run of bpftrace starts from nothing', () => {
  const store = createStore(probe.metrics);
  const total = () => durations(store)[0]?.counts[100];
  store.apply(snapshot(1, { '@http_requests': { '7,2,100': 5 } }), workloadOf);
  store.apply(snapshot(1, { '@http_requests': { '7,2,100': 5 } }), workloadOf);
  expect(total()).toBe(5);
  store.apply(snapshot(2, { '@http_requests': { '7,2,100': 5 } }), workloadOf);
  expect(total()).toBe(10);
  store.apply(snapshot(2, {}), workloadOf);
  expect(total()).toBe(10);
});

test('totals never fall and end at the sum of all runs, whatever the runs are', () => {
  const runs = fc.array(fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 5 }), { maxLength: 6 });
  fc.assert(
    fc.property(runs, (growthsByRun) => {
      const store = createStore(probe.metrics);
      const total = () => durations(store)[0]?.counts[100] ?? 0;
      let before = 0;
      for (const [run, growths] of growthsByRun.entries()) {
        let value = 0;
        for (const growth of growths) {
          value += growth;
          store.apply(snapshot(run + 1, { '@http_requests': { '7,2,100': value } }), workloadOf);
          expect(total()).toBeGreaterThanOrEqual(before);
          before = total();
        }
      }
      expect(total()).toBe(growthsByRun.flat().reduce((sum, growth) => sum + growth, 0));
    }),
  );
});

test('the cgroups that moved are those whose values have grown', () => {
  const store = createStore(probe.metrics);
  const maps = {
    '@http_requests': { '7,2,100': 5, '8,2,100': 1 },
    '@http_unanswered': { '9': 1 },
    '@tick': { '': 1 },
  };
  expect(store.movedCgroups(snapshot(1, maps))).toEqual(new Set(['7', '8', '9']));
  store.apply(snapshot(1, maps), workloadOf);
  expect(
    store.movedCgroups(snapshot(1, { ...maps, '@http_requests': { '7,2,100': 6, '8,2,100': 1 } })),
  ).toEqual(new Set(['7']));
});

test('series of workloads that are gone and still for long are dropped, the others stay', () => {
  let nowMs = 0;
  const store = createStore(probe.metrics, () => nowMs);
  store.apply(snapshot(1, { '@http_requests': { '7,2,100': 1 } }), workloadOf);
  nowMs = 1000;
  store.apply(snapshot(1, { '@http_requests': { '7,2,100': 1, '8,2,100': 1 } }), workloadOf);
  const isDead = () => false;
  expect(store.evict(() => true, 500)).toBe(0);
  expect(store.evict(isDead, 500)).toBeGreaterThan(0);
  expect(durations(store).map(({ labels }) => labels.version)).toEqual(['v2']);
});

const plain = {
  kind: 'counter',
  name: 'plain',
  help: '',
  labels: {},
  fields: [],
  map: '@blame',
  scale: 1,
} as const;
const blame = { ...plain, hasCulprit: true } as const;

const blameOf = (store: Store) =>
  [...(store.metrics[0]?.series.values() ?? [])].map(({ labels, ...series }) => [
    labels.culprit_app,
    labels.culprit_version,
    'value' in series ? series.value : NaN,
  ]);

test('blame names the culprit by its workload, and the kernel as such', () => {
  const store = createStore([blame]);
  const first = snapshot(1, { '@blame': { '7,8': 5, '7,0': 1, '7,99': 2 } });
  expect(store.movedCgroups(first)).toEqual(new Set(['7', '8', '0', '99']));
  store.apply(first, workloadOf);
  store.apply(snapshot(1, { '@blame': { '7,8': 6, '7,9': 2, '7,0': 1 } }), workloadOf);
  expect(blameOf(store)).toEqual([
    ['checkout', 'v2', 8],
    ['kernel', '', 1],
    ['unknown', '?', 2],
  ]);
});

test('an eleventh culprit counts as "other" until it is the heavier one; nothing is lost or counted twice', () => {
  const store = createStore([blame], () => 0);
  const apps = (id: string): Workload => ({ namespace: '', app: `app${id}`, version: '' });
  const values: Record<string, number> = {};
  for (let culprit = 1; culprit <= 11; culprit++) values[`100,${culprit}`] = culprit === 11 ? 1 : 10;
  store.apply(snapshot(1, { '@blame': values }), apps);
  expect(blameOf(store)).toHaveLength(11);
  expect(blameOf(store).at(-1)).toEqual(['other', '', 1]);
  store.apply(snapshot(1, { '@blame': { ...values, '100,11': 31 } }), apps);
  expect(blameOf(store)).toContainEqual(['app11', '', 30]);
  expect(blameOf(store)).toContainEqual(['other', '', 1]);
  expect(blameOf(store)).toHaveLength(11);
});

test('a victim that was evicted has culprits of its own when it comes again', () => {
  let nowMs = 0;
  const store = createStore([blame], () => nowMs);
  const apps = (id: string): Workload => ({ namespace: '', app: `app${id}`, version: '' });
  const culprits = (first: number) =>
    Object.fromEntries(Array.from({ length: 10 }, (_, more) => [`100,${first + more}`, 5]));
  store.apply(snapshot(1, { '@blame': culprits(1) }), apps);
  nowMs = 1000;
  store.evict(() => false, 500);
  const jobs = Array.from({ length: 100 }, (_, job) => [`${1000 + job},0`, 1] as const);
  store.apply(snapshot(2, { '@blame': Object.fromEntries(jobs) }), apps);
  store.apply(snapshot(3, { '@blame': culprits(11) }), apps);
  expect(blameOf(store).filter(([app]) => app !== 'kernel')).toEqual(
    Array.from({ length: 10 }, (_, more) => [`app${11 + more}`, '', 5]),
  );
});

test('a gauge is what is in its map now, whatever it was', () => {
  const store = createStore([{ ...plain, kind: 'gauge', map: '@memory', scale: 2 }]);
  const values = (): unknown =>
    Object.fromEntries(
      [...(store.metrics[0]?.series.values() ?? [])].map((series) => [
        series.labels.version,
        'value' in series ? series.value : NaN,
      ]),
    );
  store.apply(snapshot(1, { '@memory': { '7': 10, '8': 1, '9': 2 } }), workloadOf);
  expect(values()).toEqual({ v1: 20, v2: 6 });
  store.apply(snapshot(1, { '@memory': { '7': 4, '9': 2 } }), workloadOf);
  expect(values()).toEqual({ v1: 8, v2: 4 });
  store.apply(snapshot(2, { '@memory': { '7': 3 } }), workloadOf);
  expect(values()).toEqual({ v1: 6, v2: 0 });
  store.apply(snapshot(2, {}), workloadOf);
  expect(values()).toEqual({ v1: 6, v2: 0 });
});

test('a gauge moves with whoever owns its cgroup: named late, or forgotten', () => {
  const store = createStore([{ ...plain, kind: 'gauge', map: '@active' }]);
  const nobody = (): Workload => ({ namespace: '?', app: 'unknown', version: '?' });
  const values = () =>
    [...(store.metrics[0]?.series.values() ?? [])].map((series) => [
      series.labels.app,
      'value' in series ? series.value : NaN,
    ]);
  store.apply(snapshot(1, { '@active': { '7': 10 } }), nobody);
  store.apply(snapshot(1, { '@active': { '7': 2 } }), workloadOf);
  expect(values()).toEqual([
    ['unknown', 0],
    ['checkout', 2],
  ]);
  store.apply(snapshot(1, { '@active': { '7': 2 } }), nobody);
  expect(values()).toEqual([
    ['unknown', 2],
    ['checkout', 0],
  ]);
});

test('keys that mean the same by their labels are one series', () => {
  const store = createStore([
    { ...plain, map: '@failed', fields: [['reason', (error) => (error > 100 ? 'unreachable' : 'other')]] },
  ]);
  store.apply(snapshot(1, { '@failed': { '7,101': 3, '7,113': 5, '7,99': 1 } }), workloadOf);
  expect(
    [...(store.metrics[0]?.series.values() ?? [])].map((series) => [
      series.labels.reason,
      'value' in series ? series.value : NaN,
    ]),
  ).toEqual([
    ['unreachable', 8],
    ['other', 1],
  ]);
});
