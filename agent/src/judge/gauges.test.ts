import { judge, nobody } from '@plumbline/verdict';
import { expect, test } from 'vitest';
import { verdictAnswer } from '../history/answer.ts';
import { createGauges } from './gauges.ts';

const answer = (app: string, canary: string, baseline: string, namespace = 'shop') =>
  verdictAnswer(
    judge({ app, canary, baseline, buckets: { schema: 3 }, windowSeconds: 30, now: 0, windows: [] }),
    namespace,
  );

const shown = (...answers: readonly ReturnType<typeof answer>[]) => {
  const { set, families } = createGauges(() => 0);
  for (const each of answers) set(each, 0);
  const scores = families.find(({ name }) => name === 'plumbline_verdict_score');
  return [...(scores?.samples() ?? [])].map(
    ({ labels: { app, canary, baseline } }) => `${app} ${canary} ${baseline}`,
  );
};

test('an app without versions has no gauges, however often it is asked for', () => {
  expect(shown(answer('nope', nobody, nobody))).toEqual([]);
});

test('a comparison that lacked a version ends with the first that lacks none', () => {
  const alone = answer('a', nobody, 'v1');
  expect(shown(alone)).toEqual(['a (none) v1']);
  expect(shown(alone, answer('a', 'v2', 'v1'), answer('a', 'v3', 'v2'))).toEqual(['a v2 v1', 'a v3 v2']);
});

test('and not with one of another app or namespace', () => {
  const alone = answer('a', nobody, 'v1');
  expect(shown(alone, answer('b', 'v2', 'v1'), answer('a', 'v2', 'v1', 'test'))).toEqual([
    'a (none) v1',
    'b v2 v1',
    'a v2 v1',
  ]);
});
