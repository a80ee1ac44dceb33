import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cgroupMetrics } from '../files/cgroups.ts';
import { probe } from '../probes/http.ts';
import { probe as runqueue } from '../probes/runqueue.ts';
import { probe as tcp } from '../probes/tcp.ts';
import { createStore } from '../series/store.ts';
import type { Workload } from '../workloads/workload.ts';
import { createHistory, type History, type HistoryCell } from './history.ts';

const workloads: Readonly<Record<string, Workload>> = {
  '7': { namespace: 'shop', app: 'checkout', version: 'v1' },
  '8': { namespace: 'shop', app: 'checkout', version: 'v2' },
};
const unknown: Workload = { namespace: 'unknown', app: 'unknown', version: 'unknown' };

/** A store and its history, to which the kernel's maps are shown, each time a window later. */
const world = (options: Partial<Parameters<typeof createHistory>[0]> = {}) => {
  let nowMs = 1_000_000;
  const store = createStore(probe.metrics, () => nowMs);
  const history = createHistory({ windowMs: 5000, lengthMs: 900_000, maxBytes: 1e9, ...options });
  history.observe(store, nowMs);
  const see = (run: number, requests: Readonly<Record<string, number>>, afterMs = 5000) => {
    nowMs += afterMs;
    const maps = new Map([['@http_requests', new Map(Object.entries(requests))]]);
    store.apply({ run, maps }, (id) => workloads[id] ?? unknown);
    history.observe(store, nowMs);
  };
  return { store, history, see, evictAll: () => store.evict(() => false, nowMs + 1) };
};

const counted = ({ codes }: HistoryCell) => Object.values(codes).reduce((all, count) => all + count, 0);
const byWindow = (history: History) => history.windows().map(({ cells }) => cells.map(counted));

test('a window has what came in it, by version and code', () => {
  const { history, see } = world();
  see(1, { '7,2,134': 10, '7,5,140': 1, '8,2,134': 3 });
  see(1, { '7,2,134': 15, '7,5,140': 1, '8,2,134': 3 });
  expect(history.windows().map(({ end }) => end)).toEqual([1005, 1010]);
  expect(history.windows().map(({ cells }) => cells.map(({ codes }) => codes))).toEqual([
    [{ '2xx': 10, '5xx': 1 }, { '2xx': 3 }],
    [{ '2xx': 5 }],
  ]);
  const [cell] = history.windows()[0]?.cells ?? [];
  expect(cell?.durations).toEqual({ offset: 134 - 239, counts: Uint32Array.from([10, 0, 0, 0, 0, 0, 1]) });
  expect(cell?.netDurations).toEqual(cell?.durations);
});

test('what answered requests is kept with who made it wait for a CPU and what else is told of it, and nothing that only waited', () => {
  let nowMs = 1_000_000;
  const metrics = [probe, runqueue, tcp].flatMap((one) => one.metrics);
  const store = createStore([...metrics, ...cgroupMetrics], () => nowMs);
  const history = createHistory({ windowMs: 5000, lengthMs: 900_000, maxBytes: 1e9 });
  history.observe(store, nowMs);
  const see = (maps: Readonly<Record<string, Readonly<Record<string, number>>>>) => {
    nowMs += 5000;
    const read = new Map(Object.entries(maps).map(([map, values]) => [map, new Map(Object.entries(values))]));
    store.apply({ run: 1, maps: read }, (id) => workloads[id] ?? unknown);
    history.observe(store, nowMs);
  };
  see({
    '@http_requests': { '7,2,134': 10 },
    '@runqueue_waits': { '7,100': 90, '7,120': 10 },
    '@runqueue_blame_ns': { '7,7': 1e9, '7,8': 2e9, '7,0': 3e9, '7,9': 0.5e9, '8,7': 9e9 },
    '@cgroup_cpu_us': { '7': 800_000, '8': 1 },
    '@cgroup_throttled_us': { '7': 500_000, '8': 1 },
    '@cgroup_pressure_us': { '7,0,0': 250_000, '7,0,1': 99, '7,1,0': 99 },
    '@cgroup_memory_bytes': { '7': 4096 },
    '@tcp_retransmits': { '7,1,1': 2 },
  });
  see({
    '@http_requests': { '7,2,134': 20 },
    '@runqueue_blame_ns': { '7,7': 1e9, '7,8': 2.5e9, '7,0': 3e9, '7,9': 0.5e9, '8,7': 9e9 },
    '@cgroup_cpu_us': { '7': 900_000, '8': 1 },
    '@cgroup_throttled_us': { '7': 500_000, '8': 1 },
    '@cgroup_memory_bytes': { '7': 8192 },
  });
  const [first, second] = history.windows().map(({ cells }) => cells);
  expect(first).toHaveLength(1);
  expect(first?.[0]).toMatchObject({
    cpuWait: { ownSeconds: 1, othersSeconds: 5.5 },
    blame: [
      { culprit: { app: 'kernel' }, seconds: 3 },
      { culprit: workloads['8'], seconds: 2 },
      { culprit: workloads['7'], seconds: 1 },
      { culprit: { app: 'other' }, seconds: 0.5 },
    ],
    figures: {
      cpuSeconds: expect.closeTo(0.8, 10) as number,
      throttledSeconds: 0.5,
      cpuPressureSeconds: 0.25,
      memoryBytes: 4096,
      retransmits: 2,
      connectionFailures: 0,
    },
  });
  // Bucket 120 holds up to 2^(-119/8) s; the 95th of 100 waits lies in the middle of its ten.
  expect(first?.[0]?.runqueueP95Seconds).toBeCloseTo(2 ** (-119.5 / 8), 10);
  expect(second?.[0]).toMatchObject({
    cpuWait: { ownSeconds: 0, othersSeconds: 0.5 },
    blame: [{ culprit: workloads['8'], seconds: 0.5 }],
    figures: { throttledSeconds: 0, cpuPressureSeconds: 0, memoryBytes: 8192, retransmits: 0 },
  });
  expect(second?.[0]?.figures.cpuSeconds).toBeCloseTo(0.1, 10);
  expect(second?.[0]?.runqueueP95Seconds).toBeUndefined();
});

test('nobody told is not the same as none', () => {
  const { history, see } = world();
  see(1, { '7,2,134': 1 });
  expect(history.windows()[0]?.cells[0]).toMatchObject({ cpuWait: undefined, blame: undefined, figures: {} });
});

test('snapshots within a window add up, and it closes with the first one after its end', () => {
  const { history, see } = world();
  see(1, { '7,2,134': 1 }, 1000);
  see(1, { '7,2,134': 2 }, 1000);
  expect(history.windows()).toEqual([]);
  see(1, { '7,2,134': 5 }, 3000);
  expect(byWindow(history)).toEqual([[5]]);
});

test('a kernel that is not read for a while leaves a gap, and nothing is lost', () => {
  const { history, see } = world();
  see(1, { '7,2,134': 1 });
  see(1, { '7,2,134': 4 }, 31_000);
  expect(history.windows().map(({ end, seconds }) => [end, seconds])).toEqual([
    [1005, 5],
    [1035, 30],
  ]);
  expect(byWindow(history)).toEqual([[1], [3]]);
});

test('neither a restart of bpftrace nor an eviction makes requests that never were', () => {
  const { history, see, evictAll } = world();
  see(1, { '7,2,134': 1000 });
  see(2, { '7,2,134': 7 });
  evictAll();
  see(2, { '7,2,134': 7 });
  see(2, { '7,2,134': 9 });
  expect(byWindow(history)).toEqual([[1000], [7], [], [2]]);
});

test('a clock that goes back a little counts nothing twice', () => {
  const { history, see } = world();
  see(1, { '7,2,134': 1 });
  see(1, { '7,2,134': 3 }, -4000);
  see(1, { '7,2,134': 6 }, 9000);
  expect(history.windows().map(({ end }) => end)).toEqual([1005, 1010]);
  expect(byWindow(history)).toEqual([[1], [5]]);
});

test('a clock that is set back goes on from there, and what lies ahead of it is forgotten', () => {
  const { history, see } = world();
  see(1, { '7,2,134': 1 });
  see(1, { '7,2,134': 3 });
  see(1, { '7,2,134': 6 });
  see(1, { '7,2,134': 7 }, -8000); // from 1015 to 1007
  see(1, { '7,2,134': 10 });
  see(1, { '7,2,134': 11 });
  expect(history.windows().map(({ end }) => end)).toEqual([1005, 1010, 1015]);
  expect(byWindow(history)).toEqual([[1], [4], [1]]);
  expect(history.stats().dropped).toBe(2);
});

test('old windows go, and what has no name is not kept', () => {
  const { history, see } = world({ lengthMs: 20_000 });
  for (let step = 1; step <= 10; step++) see(1, { '7,2,134': step, '9,2,134': step });
  expect(byWindow(history)).toEqual([[1], [1], [1], [1]]);
  expect(history.stats().dropped).toBe(0);
  expect(history.begin()).toBe(1005);
});

test('when memory is short the oldest windows go first, and are counted', () => {
  const { history, see } = world({ maxBytes: 5000 });
  for (let step = 1; step <= 20; step++) see(1, { '7,2,134': step, '8,2,134': step });
  expect(history.stats().bytes).toBeLessThanOrEqual(5000);
  expect(history.stats().dropped).toBe(20 - history.windows().length);
  expect(history.windows().at(-1)?.end).toBe(1100);
});

test('whatever happens, the windows hold exactly the requests that the store has counted', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('grow' as const), by: fc.nat(50), afterMs: fc.nat(12_000) }),
    fc.constant({ kind: 'restart' as const }),
    fc.constant({ kind: 'evict' as const }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { history, see, evictAll } = world();
      let [run, value, expected] = [1, 0, 0];
      for (const one of steps) {
        if (one.kind === 'restart') [run, value] = [run + 1, 0];
        else if (one.kind === 'evict') {
          // What an open window has counted is in no window yet: close it first, as 30 s without traffic do.
          see(run, { '7,2,134': value }, 5000);
          evictAll();
        } else {
          value += one.by;
          expected += one.by;
          see(run, { '7,2,134': value }, one.afterMs);
        }
      }
      see(run, { '7,2,134': value }, 5000);
      const total = byWindow(history)
        .flat()
        .reduce((all, count) => all + count, 0);
      expect(total).toBe(expected);
    }),
  );
});
