// Every state of the panel as a person sees it, in Debian's Chromium, on Grafana's own packages.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Scene } from '../host/main.tsx';
import { frame } from '../src/frames/fixture.ts';
import { sceneOf, withSeries } from './scenes.ts';
import { describeBrowser, openStage } from './stage.ts';
import type { Stage } from './stage.ts';

interface State {
  readonly scene: Scene;
  /** What the badge says. */
  readonly badge: string;
  /** What is written somewhere in the panel. */
  readonly says: readonly (string | RegExp)[];
}

const short = { windows: 30 };
const base = sceneOf(short);
const withoutErrors = { ...base, frames: base.frames.filter(({ refId }) => refId !== 'requests') };
const times = [...Array(60).keys()].map((i) => base.from + 15 * i);
const quantiles = ['v1', 'v2'].map((version, i) =>
  frame(
    'p99',
    { version },
    times,
    times.map((time) => 0.05 * (1 + i) + 0.002 * Math.sin(time)),
  ),
);
/** Counters whose total on one node starts again in the middle. */
const reset = (scene: Scene): Scene =>
  withSeries(scene, undefined, ({ labels, values, refId }) =>
    labels.node === 'node-1' && refId !== 'memory'
      ? { values: values.map((value, i) => (i < 60 ? value : value - (values[60] ?? 0))) }
      : {},
  );
const everyOther = (offset: number) => (series: { times: number[]; values: number[] }) => ({
  times: series.times.filter((_, i) => i % 2 === offset),
  values: series.values.filter((_, i) => i % 2 === offset),
});

const states: Readonly<Record<string, State>> = {
  pass: { scene: sceneOf(), badge: 'Pass', says: ['v2 is as good as v1', 'on the same nodes'] },
  fail: {
    scene: sceneOf({ slower: 1.6 }),
    badge: 'Fail',
    says: [/The code of v2 is slower than v1: p99 \+\d\d\.\d % on equal nodes/, 'worse'],
  },
  'fail-errors': {
    scene: sceneOf({ errors: { canary: 0.04, baseline: 0.001 } }),
    badge: 'Fail',
    says: [/v2 fails more often than v1: \d\.\d+ % of its requests against 0\.\d+ %/],
  },
  skewed: {
    scene: sceneOf({ noise: 3 }),
    badge: 'Skewed',
    says: [/v2 looks slow \(p99 \+\d\d\.\d %\), but its nodes do it, not its code/, 'batch/reports v7'],
  },
  inconclusive: {
    scene: sceneOf({ requests: 40 }),
    badge: 'Inconclusive',
    says: [/Needs .*k? more requests, about \d+ (min|h|days)/],
  },
  gapped: {
    scene: sceneOf({ lost: [50, 51, 52, 53, 54, 55, 56, 57] }),
    badge: 'Pass',
    says: [/windows .* have no data and were left out|1 note on the data/],
  },
  reset: { scene: reset(sceneOf()), badge: 'Pass', says: [/Counters were reset on node-1/] },
  'some-nan': {
    scene: withSeries(base, 'durations', ({ values }) => ({
      values: values.map((value, i) => (i % 7 === 3 ? NaN : value)),
    })),
    badge: 'Inconclusive',
    says: ['note on the data'],
  },
  'all-nan': {
    scene: withSeries(base, undefined, ({ values }) => ({ values: values.map(() => NaN) })),
    badge: 'No verdict',
    says: ['No requests in this time range.', 'Widen the time range.'],
  },
  'single-version': {
    scene: withSeries(base, undefined, ({ labels }) => (labels.version === 'v1' ? {} : undefined)),
    badge: 'No verdict',
    says: ['Only v1 has traffic.', 'Wait for the rollout'],
  },
  empty: {
    scene: { ...base, frames: [], refIds: ['durations', 'requests'] },
    badge: 'No verdict',
    says: ['No requests in this time range.', 'Check the variables'],
  },
  'no-queries': {
    scene: { ...base, frames: [], refIds: [] },
    badge: 'No verdict',
    says: ['This panel has no queries yet.', 'sum by (version, node, le)'],
  },
  'wrong-ref-ids': {
    scene: withSeries(base, undefined, ({ refId }) =>
      refId === 'durations' || refId === 'requests'
        ? { refId: refId === 'durations' ? 'A' : 'B' }
        : undefined,
    ),
    badge: 'No verdict',
    says: ['No query of this panel has a known role.', 'here A, B'],
  },
  'wrong-labels': {
    scene: withSeries(base, 'durations', ({ labels: { le = '', version = '' } }) => ({
      labels: { le, pod: `web-${version}` },
    })),
    badge: 'No verdict',
    says: ['lack the label version and node', 'They have le, pod.'],
  },
  'wrong-le': {
    scene: withSeries(base, 'durations', ({ labels }) => ({ labels: { ...labels, le: 'fast' } })),
    badge: 'No verdict',
    says: ['has a number as its label le'],
  },
  rates: {
    scene: withSeries(base, 'durations', ({ values }) => ({
      values: values.map((value, i) => (value - (values[i - 1] ?? 0)) / 15),
    })),
    badge: 'No verdict',
    says: ['does not give running totals', 'Leave out rate() and increase()'],
  },
  'quantiles-only': {
    scene: { ...base, frames: quantiles },
    badge: 'No verdict',
    says: ['p99 of requests', 'Quantiles alone cannot be judged.'],
  },
  'errors-unknown': { scene: withoutErrors, badge: 'No verdict', says: ['Errors are not known.'] },
  'steps-disagree': {
    scene: withSeries(withSeries(base, 'durations', everyOther(0)), 'requests', everyOther(1)),
    badge: 'No verdict',
    says: ['The queries have no moment in common.', 'Min step'],
  },
  unreachable: {
    scene: { ...base, frames: [], error: 'connect ECONNREFUSED 127.0.0.1:9090', refIds: ['durations'] },
    badge: 'No verdict',
    says: ['Prometheus could not be asked.', 'ECONNREFUSED', 'Save & test'],
  },
};

describeBrowser('the panel', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(() => stage.close());

  test.each(Object.entries(states))('%s: says so in words', async (name, { scene, badge, says }) => {
    await stage.show(scene);
    await stage.picture(`${name}-dark`);
    await stage.change({ theme: 'light' });
    await stage.picture(`${name}-light`);
    expect(await stage.badge()).toBe(badge);
    const text = await stage.text();
    for (const words of says) {
      if (typeof words === 'string') expect(text).toContain(words);
      else expect(text).toMatch(words);
    }
    // What cannot be judged never looks as if it were.
    if (badge === 'No verdict')
      expect(await stage.page.locator('[data-state]:not([data-state="not-judged"])').count()).toBe(0);
    expect(stage.complaints).toEqual([]);
  });

  test('100,000 series are refused at once, with the query that sums them', async () => {
    const one = base.frames[0];
    if (!one) throw new Error('Expected a frame');
    await stage.showMany({ ...base, frames: [one] }, 100_000);
    await stage.picture('too-many-series');
    expect(await stage.badge()).toBe('No verdict');
    expect(await stage.text()).toContain('The queries return 100,000 series.');
  });

  test.each(['light', 'dark'] as const)(
    'has no serious accessibility violation in the %s theme',
    async (theme) => {
      for (const name of ['fail', 'skewed', 'unreachable']) {
        const scene = states[name]?.scene ?? base;
        await stage.show({ ...scene, theme });
        expect(await stage.violations(), name).toEqual([]);
        await stage.change({ width: 420, height: 170, options: { layout: 'compact' } });
        expect(await stage.violations(), `${name}, compact`).toEqual([]);
      }
    },
  );

  test.each([300, 480, 760, 1200, 2400])('at %d px nothing is cut off sideways', async (width) => {
    for (const name of ['skewed', 'fail', 'unreachable', 'no-queries']) {
      await stage.show({ ...(states[name]?.scene ?? base), width, height: width > 2000 ? 1300 : 900 });
      await stage.picture(`${name}-${width}px`);
      expect(await stage.overflow(), name).toEqual([]);
    }
  });

  test.each([
    [420, 170],
    [300, 80],
    [900, 60],
  ])('compact at %d × %d px has room for badge and difference', async (width, height) => {
    await stage.show({
      ...(states.fail?.scene ?? base),
      width,
      height: height + 40,
      options: { layout: 'compact' },
    });
    await stage.picture(`compact-${width}x${height}`);
    expect(await stage.badge()).toBe('Fail');
    expect(await stage.text()).toMatch(/p99 \+\d\d\.\d %/);
    expect(await stage.overflow()).toEqual([]);
  });
});
