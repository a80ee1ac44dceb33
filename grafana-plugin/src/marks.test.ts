import type { DataFrame } from '@grafana/data';
import { expect, test } from 'vitest';
import { marksOf } from './marks.ts';

const frameOf = (columns: Record<string, readonly unknown[]>, rest: object = {}): DataFrame =>
  ({
    ...rest,
    length: 0,
    fields: Object.entries(columns).map(([name, values]) => ({ name, type: 'other', config: {}, values })),
  }) as unknown as DataFrame;

test('a dashboard’s annotations are moments with a text', () => {
  const annotations = [
    frameOf({ time: [1000, 2000], title: ['Rollout', ''], text: ['10 %', 'done'], color: ['red', null] }),
  ];
  expect(marksOf({ annotations })).toEqual([
    { time: 1000, text: 'Rollout: 10 %', color: 'red' },
    { time: 2000, text: 'done' },
  ]);
});

test('exemplars have a height, and say their trace', () => {
  const columns = { Time: [1000], Value: [0.25], traceID: ['abc'] };
  const mark = { time: 1000, value: 0.25, text: 'exemplar abc' };
  expect(marksOf({ annotations: [frameOf(columns, { name: 'exemplar' })] })).toEqual([mark]);
  const meta = { custom: { resultType: 'exemplar' } };
  expect(marksOf({ annotations: [frameOf(columns, { meta })] })).toEqual([mark]);
});

test('nothing is marked without annotations, or where their columns are missing', () => {
  expect(marksOf({})).toEqual([]);
  expect(marksOf({ annotations: [frameOf({ text: ['when?'] })] })).toEqual([]);
});
