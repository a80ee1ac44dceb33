import type { DataFrame } from '@grafana/data';
import { judge } from '@plumbline/verdict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildModel } from '../model/build.ts';
import { madeUpRun, runStart } from '../model/fixture.ts';
import type { Run, RunCell } from '../model/run.ts';
import { frame, framesOf } from './fixture.ts';
import { observe } from './observe.ts';
import type { Wanted } from './observe.ts';

const wanted: Wanted = {
  app: '',
  canary: '',
  baseline: '',
  roles: '',
  higherIsBetter: '',
  asked: [],
  now: 0,
};
const settings = { judge: {}, quantile: 0.99 };
const small = madeUpRun({ windows: 30 });
const seen = (frames: readonly DataFrame[], change: Partial<Wanted> = {}) =>
  observe(frames, { ...wanted, ...change });
const runOf = (frames: readonly DataFrame[], change: Partial<Wanted> = {}): Run => {
  const { run, notice } = seen(frames, change);
  if (!run) throw new Error(notice?.title);
  return run;
};
/** Changes the values of the series of a role. */
const changed = (
  frames: readonly DataFrame[],
  refId: string,
  change: (value: number, i: number, one: DataFrame) => number,
) =>
  frames.map((one) =>
    one.refId === refId
      ? {
          ...one,
          fields: one.fields.map((field) =>
            field.name === 'Value'
              ? { ...field, values: field.values.map((value: number, i: number) => change(value, i, one)) }
              : field,
          ),
        }
      : one,
  );
const relabelled = (
  frames: readonly DataFrame[],
  refId: string,
  change: (labels: Record<string, string>) => Record<string, string>,
) =>
  frames.map((one) =>
    one.refId === refId
      ? {
          ...one,
          fields: one.fields.map((field) =>
            field.labels ? { ...field, labels: change(field.labels) } : field,
          ),
        }
      : one,
  );
const everyOther = (one: DataFrame, offset: number): DataFrame => ({
  ...one,
  fields: one.fields.map((field) => ({
    ...field,
    values: field.values.filter((_: unknown, i: number) => i % 2 === offset),
  })),
});

/** Index of the lowest bucket of `countedRun`. */
const first = -40;
/** A run of two nodes, in which each window has counted this in the cells of `a, v1`, `a, v2` and `b, v1`. */
const countedRun = (counted: readonly (readonly (readonly number[])[])[]): Run => ({
  ...madeUpRun({ windows: counted.length }),
  windows: counted.map((cells, i) => ({
    end: runStart + (i + 1) * small.windowSeconds,
    cells: cells.map((counts, cell) => ({
      node: cell < 2 ? 'a' : 'b',
      arm: cell === 1 ? 'canary' : 'baseline',
      requests: 50,
      errors: 0,
      durations: { offset: first, counts },
    })),
  })),
});
/** A frame without what was seen at a moment. */
const without = (one: DataFrame, ms: number): DataFrame => {
  const [times] = one.fields;
  const isKept = (_: unknown, i: number) => times?.values[i] !== ms;
  return { ...one, fields: one.fields.map((field) => ({ ...field, values: field.values.filter(isKept) })) };
};
/** The buckets of a cell that are not empty, from the lowest on. */
const filledIn = ({ node, arm, durations }: RunCell, lowest: number): string => {
  const filled = Array.from(durations?.counts ?? [], (count, i) =>
    count > 0 ? `${i + (durations?.offset ?? 0) - lowest}: ${count}` : '',
  );
  return [node, arm, ...filled.filter((one) => one !== '')].join(' ');
};

describe('a run read from frames', () => {
  test('tells waits for a CPU that a version held itself from those that others did, where the app is known', () => {
    const run = { ...small, blame: [] };
    const times = [(run.windows[0]?.end ?? 0) - run.windowSeconds, ...run.windows.map(({ end }) => end)];
    const node = run.windows[0]?.cells.find(({ arm }) => arm === 'canary')?.node ?? '';
    const blame = (app: string, version: string, perSecond: number) =>
      frame(
        'blame',
        { version: run.canary, node, culprit_namespace: 'shop', culprit_app: app, culprit_version: version },
        times,
        times.map((time) => (time - (times[0] ?? 0)) * perSecond),
      );
    const frames = [
      ...framesOf(run),
      ...[blame('checkout', run.canary, 0.5), blame('checkout', run.baseline, 0.2), blame('batch', '7', 0.1)],
    ];
    const waitIn = (app: string, arm: string) =>
      runOf(frames, { app }).windows[5]?.cells.find((cell) => cell.arm === arm && cell.node === node)
        ?.cpuWait;
    expect(waitIn('checkout', 'canary')?.ownSeconds).toBeCloseTo(0.5 * run.windowSeconds, 9);
    expect(waitIn('checkout', 'canary')?.othersSeconds).toBeCloseTo(0.3 * run.windowSeconds, 9);
    expect(waitIn('checkout', 'baseline')).toBeUndefined();
    expect(waitIn('', 'canary')).toBeUndefined();
    expect(runOf(frames, { app: 'checkout' }).blame.map(({ culprit }) => culprit)).toEqual([
      `shop/checkout ${run.canary}`,
      `shop/checkout ${run.baseline}`,
      'shop/batch 7',
    ]);
  });

  test.each(['classic', 'native'] as const)(
    '%s buckets give the verdict of the run that they came from',
    (format) => {
      const run = madeUpRun({ slower: 1.5, windows: 90 });
      const read = runOf(framesOf(run, format));
      const [ours, truth] = [judge(read), judge(run)];
      expect(ours.verdict).toBe(truth.verdict);
      expect(ours.samples.canary).toBe(truth.samples.canary);
      expect(ours.samples.baseline).toBe(truth.samples.baseline);
      expect(ours.errors.canaryRatio).toBeCloseTo(truth.errors.canaryRatio ?? NaN, 9);
      // Classic buckets are read linearly, native ones exponentially.
      expect(ours.delta?.relative).toBeCloseTo(truth.delta?.relative ?? NaN, format === 'native' ? 9 : 1);
      expect(ours.grade).toEqual(truth.grade);
    },
  );

  test.each([
    ['classic', 1],
    ['native', first],
  ] as const)(
    '%s buckets hold what was counted in each window, and nothing is said of those beside a moment that is lost',
    (format, lowest) => {
      const counts = fc.array(fc.nat(3), { minLength: 5, maxLength: 5 });
      const windows = fc.array(fc.array(counts, { minLength: 3, maxLength: 3 }), {
        minLength: 6,
        maxLength: 6,
      });
      fc.assert(
        fc.property(windows, fc.option(fc.nat(6), { nil: -1 }), (counted, lost) => {
          const run = countedRun(counted);
          const lostMs = 1000 * (runStart + lost * run.windowSeconds);
          const frames = framesOf(run, format).map((one) => without(one, lostMs));
          const read = new Map(runOf(frames).windows.map((window) => [window.end, window.cells]));
          for (const [i, { end, cells }] of run.windows.entries()) {
            const known = lost === i || lost === i + 1 ? [] : cells;
            expect(new Set(read.get(end)?.map((cell) => filledIn(cell, lowest)))).toEqual(
              new Set(known.map((cell) => filledIn(cell, first))),
            );
          }
        }),
      );
    },
  );

  test('native histograms alone are shown, and the verdict says what is missing', () => {
    const frames = framesOf(small, 'native').filter(({ refId }) => refId === 'durations');
    const model = buildModel(seen(frames), settings);
    expect(model.overlay?.canary.some((value) => value !== null)).toBe(true);
    expect(model.notice?.title).toBe('Errors are not known.');
  });

  test('whatever the step, no request is counted twice', () => {
    const frames = framesOf(small).map((one) => everyOther(one, 0));
    const run = runOf(frames);
    expect(run.windowSeconds).toBe(30);
    expect(judge(run).samples).toMatchObject({ canary: judge(small).samples.canary });
  });

  test('two queries that disagree on the step are compared where they meet', () => {
    const frames = framesOf(small).map((one) => (one.refId === 'requests' ? everyOther(one, 0) : one));
    const { run, remarks } = seen(frames);
    expect(run?.windows.length).toBe(15);
    expect(remarks.join()).toContain('disagree on the step');
  });

  test('two queries that never meet are a notice, and no verdict', () => {
    const frames = framesOf(small).map((one) => everyOther(one, one.refId === 'requests' ? 0 : 1));
    expect(seen(frames).notice?.title).toBe('The queries have no moment in common.');
  });

  test('a counter that is reset voids the window of its version and node, and no more', () => {
    const frames = framesOf(small);
    const reset = ['durations', 'requests', 'net'].reduce(
      (all, refId) =>
        changed(all, refId, (value, i, one) =>
          one.fields[1]?.labels?.node === 'node-1' && i >= 10 ? value - 900 : value,
        ),
      frames,
    );
    const { run, remarks } = seen(reset);
    expect(run?.windows[9]?.cells.map(({ node }) => node)).not.toContain('node-1');
    expect(run?.windows[10]?.cells.map(({ node }) => node)).toContain('node-1');
    expect(remarks.join()).toContain('Counters were reset on node-1');
  });

  test('an error that appears for the first time counts, though its series had no value before', () => {
    const frames = changed(framesOf(small), 'requests', (value, i, one) =>
      one.fields[1]?.labels?.code === '5xx' ? (i < 5 ? NaN : 3) : value,
    );
    expect(judge(runOf(frames)).errors.canaryRatio).toBeGreaterThan(0);
  });

  // In Grafana a point that is absent is null, whatever the types say.
  test.each([NaN, null as never])('%s and absent points are holes, not zeros', (nothing) => {
    const frames = ['durations', 'requests', 'net'].reduce(
      (all, refId) => changed(all, refId, (value, i) => (i === 7 ? nothing : value)),
      framesOf(small),
    );
    const { run, remarks } = seen(frames);
    expect(run?.windows.length).toBe(28);
    expect(remarks.join()).toContain('2 of the windows (30 s) have no data');
  });

  test('the canary is the version that came later, or counts higher, or as asked for', () => {
    expect(runOf(framesOf(small))).toMatchObject({ canary: 'v2', baseline: 'v1', foundBy: 'name' });
    expect(runOf(framesOf(small), { canary: 'v1', baseline: 'v2' })).toMatchObject({
      canary: 'v1',
      foundBy: 'options',
    });
    const late = ['durations', 'requests', 'net'].reduce(
      (all, refId) =>
        changed(all, refId, (value, i, one) =>
          one.fields[1]?.labels?.version === 'v1' && i < 12 ? NaN : value,
        ),
      framesOf(small),
    );
    expect(runOf(late)).toMatchObject({ canary: 'v1', foundBy: 'newest' });
  });

  test('signals of the user are judged, and what they lack is told', () => {
    const times = [0, ...small.windows.map(({ end }) => end)].slice(1);
    const counter = (refId: string, version: string, each: number) =>
      frame(
        refId,
        { version, node: 'node-1' },
        times,
        times.map((_, i) => 100 + i * each),
      );
    const frames = [
      ...framesOf(small),
      ...['v1', 'v2'].flatMap((version) => [
        counter('signal sales events', version, version === 'v2' ? 2 : 20),
        counter('signal sales trials', version, 200),
      ]),
      counter('signal lonely events', 'v1', 1),
    ];
    const { run, remarks } = seen(frames, { higherIsBetter: 'sales' });
    expect(run?.windows.at(-1)?.signals?.[0]).toMatchObject({
      name: 'sales',
      kind: 'ratio',
      better: 'higher',
    });
    expect(remarks.join()).toContain('The signal lonely needs two queries');
    expect(run && judge(run).reasons).toContain('SIGNAL_WORSE');
  });

  test('quantiles alone are shown, and the verdict says what is missing', () => {
    const times = small.windows.map(({ end }) => end);
    const frames = ['v1', 'v2'].map((version) =>
      frame(
        'p99',
        { version },
        times,
        times.map(() => 0.02),
      ),
    );
    const model = buildModel(seen(frames), settings);
    expect(model.overlay?.canary[3]).toBe(0.02);
    expect(model.verdict).toBeNull();
    expect(model.notice?.title).toBe('Quantiles alone cannot be judged.');
  });
});

describe('answers that cannot be used', () => {
  const title = (frames: readonly DataFrame[], change: Partial<Wanted> = {}) =>
    seen(frames, change).notice?.title;

  test('no queries, wrong refIds and empty answers are told apart', () => {
    expect(title([])).toBe('This panel has no queries yet.');
    expect(title(framesOf(small).map((one) => ({ ...one, refId: 'A' })))).toBe(
      'No query of this panel has a known role.',
    );
    expect(title([], { asked: ['durations', 'requests'] })).toBe('No requests in this time range.');
  });

  test('the option gives a refId its role', () => {
    const frames = framesOf(small).map((one) => ({ ...one, refId: one.refId === 'durations' ? 'A' : 'B' }));
    const kept = frames.filter((one) => one.refId === 'A' || one.fields[1]?.labels?.code !== undefined);
    expect(runOf(kept, { roles: 'A=durations, B = requests' }).windows.length).toBe(30);
  });

  test('one version has nothing to be compared with', () => {
    const frames = framesOf(small).filter((one) => one.fields[1]?.labels?.version === 'v1');
    expect(title(frames)).toBe('Only v1 has traffic.');
  });

  test('rates are refused: overlapping windows would count requests twice', () => {
    const frames = changed(framesOf(small), 'durations', (value) => value / 3.7);
    expect(title(frames)).toBe('The query "durations" does not give running totals.');
    const gauges = changed(framesOf(small), 'requests', (value, i) => Math.round(value % 40) + (i % 2) * 50);
    expect(title(gauges)).toBe('The query "requests" does not give running totals.');
  });

  test('labels that are missing, or not summed away, are named', () => {
    const lacking = relabelled(framesOf(small), 'requests', ({ version = '', code = '' }) => ({
      version,
      code,
    }));
    expect(title(lacking)).toBe('Series of the query "requests" lack the label node.');
    const double = framesOf(small).flatMap((one) => (one.refId === 'requests' ? [one, one] : [one]));
    expect(seen(double).notice?.text).toContain('several series have the labels that count');
  });

  test('bounds that are no numbers are left out, or refused when none is', () => {
    const some = relabelled(framesOf(small), 'durations', ({ le = '', ...rest }) => ({
      ...rest,
      le: le.startsWith('0.01') ? 'fast' : le,
    }));
    expect(seen(some).remarks.join()).toContain('their label le is no number');
    const all = relabelled(framesOf(small), 'durations', (labels) => ({ ...labels, le: 'fast' }));
    expect(title(all)).toBe('No series of the query "durations" has a number as its label le.');
  });

  test('a hundred thousand series are refused with a remedy', () => {
    const [one] = framesOf(small);
    if (!one) throw new Error('no frame');
    expect(title(new Array<DataFrame>(100_000).fill(one))).toBe('The queries return 100,000 series.');
  });

  test('two apps cannot be compared', () => {
    const frames = framesOf(small).map(
      (one, i) =>
        relabelled([one], 'requests', (labels) => ({ ...labels, app: i % 2 ? 'a' : 'b' }))[0] ?? one,
    );
    expect(title(frames)).toBe('The queries return more than one app.');
  });
});
