import { describe, expect, test } from 'vitest';
import { buildModel } from './build.ts';
import { madeUpRun } from './fixture.ts';
import type { Shape } from './fixture.ts';
import type { Run } from './run.ts';

const settings = { judge: {}, quantile: 0.99 };
const modelOf = (shape: Shape) => buildModel({ run: madeUpRun(shape), remarks: [] }, settings);

describe('the model of a run', () => {
  test('a slower code fails, and the sentence says by how much on equal nodes', () => {
    const { headline, strip, overlay } = modelOf({ slower: 2 });
    expect(headline.tone).toBe('fail');
    expect(headline.sentence).toMatch(/^The code of v2 is slower than v1: p99 \+\d+.* % on equal nodes\.$/);
    expect(strip?.adjusted.at(-1)).toBeCloseTo(1, 1);
    expect(overlay?.canary.length).toBe(overlay?.times.length);
  });

  test('the band narrows as evidence comes', () => {
    const { strip } = modelOf({});
    const width = (i: number) => (strip?.upper.at(i) ?? NaN) - (strip?.lower.at(i) ?? NaN);
    expect(width(-1)).toBeLessThan(width(10));
  });

  test('a neighbour on the nodes of the canary skews: raw is high, adjusted is not', () => {
    const { headline, strip, nodes } = modelOf({ noise: 3 });
    expect(headline.tone).toBe('skewed');
    expect(headline.sentence).toContain('its nodes do it, not its code');
    expect(strip?.raw.at(-1)).toBeGreaterThan(0.1);
    expect(Math.abs(strip?.adjusted.at(-1) ?? NaN)).toBeLessThan(0.05);
    expect(nodes.find(({ node }) => node === 'node-1')?.blame[0]?.culprit).toBe('batch/reports v7');
    expect(
      nodes
        .slice(0, 2)
        .map(({ node }) => node)
        .sort(),
    ).toEqual(['node-1', 'node-2']);
  });

  test('an absolute margin becomes a relative one at the level of the baseline', () => {
    const strip = modelOf({}).strip;
    // 15 ms of a p99 of about 64 ms.
    expect(strip?.failMargin).toBeCloseTo(0.235, 1);
    expect(
      buildModel({ run: madeUpRun(), remarks: [] }, { ...settings, judge: { marginSeconds: 0 } }).strip,
    ).toMatchObject({
      failMargin: 0.05,
      passMargin: 0.1,
    });
  });

  test('without errors counted there is no verdict, though everything else is shown', () => {
    const model = buildModel({ run: { ...madeUpRun(), errorsKnown: false }, remarks: [] }, settings);
    expect(model.verdict).toBeNull();
    expect(model.headline.tone).toBe('none');
    expect(model.notice?.title).toBe('Errors are not known.');
    expect(model.signals.every(({ state }) => state === 'not-judged')).toBe(true);
    expect(model.overlay).not.toBeNull();
  });

  test('an option out of range is a notice that names it', () => {
    const model = buildModel(
      { run: madeUpRun({ windows: 5 }), remarks: [] },
      { ...settings, judge: { alpha: 7 } },
    );
    expect(model.notice?.text).toBe('Expected option alpha between 0 and 0.5, got 7.');
    expect(model.verdict).toBeNull();
  });

  test('a hole in time breaks the lines', () => {
    const { overlay } = modelOf({ lost: [40, 41, 42] });
    expect(overlay?.canary).toContain(null);
  });

  test('the rate is of the time that the windows are of, which is longer after a gap', () => {
    const rate = (run: Run) =>
      buildModel({ run, remarks: [] }, settings).signals.find(({ id }) => id === 'rate')?.canary;
    const run = madeUpRun();
    const [first, ...rest] = run.windows;
    const seconds = 1000 * run.windowSeconds;
    const afterGap = { ...run, windows: first ? [{ ...first, seconds }, ...rest] : [] };
    const factor = run.windows.length / (run.windows.length - 1 + 1000);
    expect(rate(afterGap)).toBeCloseTo((rate(run) ?? NaN) * factor, 6);
  });

  test('signals carry their own word', () => {
    const { signals } = modelOf({ slower: 2, errors: { canary: 0.05, baseline: 0.001 } });
    const state = (id: string) => signals.find((row) => row.id === id)?.state;
    expect(state('p99')).toBe('worse');
    expect(state('errors')).toBe('worse');
    expect(state('rate')).toBe('not-judged');
  });

  test('a run without a window has a verdict that says what is missing', () => {
    const model = buildModel({ run: { ...madeUpRun(), windows: [] }, remarks: [] }, settings);
    expect(model.headline.tone).toBe('inconclusive');
    expect(model.headline.sentence).toContain('has not answered a single request');
  });
});
