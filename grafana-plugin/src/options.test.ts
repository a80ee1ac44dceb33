import { defaultOptions } from '@plumbline/verdict';
import { expect, test } from 'vitest';
import { viewSettings } from './options.ts';

test('thresholds that are empty in the editor are left to the verdict library', () => {
  const judge = { alpha: 0.02, slo: undefined, passMargin: null } as never;
  expect(viewSettings({ quantile: 0.99, judge })).toEqual({
    quantile: 0.99,
    judge: { tail: defaultOptions.tail, alpha: 0.02 },
  });
});

test('the quantile that is drawn is the highest that is judged', () => {
  expect(viewSettings({ quantile: 0.95, judge: {} }).judge.tail).toBe(0.95);
});
