// Anything in (parsed JSON, usually); the same value as a judge's input out, or an error that names the place.
import { layoutOf } from './buckets.ts';
import { each, isNumber, list, record, text, wrong } from './checks.ts';
import { emptyRoster } from './roster.ts';
import type { Subject, VerdictInput } from './types.ts';
import { checkWindow } from './window.ts';

/**
 * Returns `value` as the input of `judge`. Missing data is no error: windows, cells and histograms may be empty.
 * @throws VerdictInputError at the first thing that is wrong.
 */
export function checkInput(value: unknown): VerdictInput {
  const input = checkHead(value);
  const layout = layoutOf(input.buckets);
  const roster = emptyRoster();
  let previousEnd = -Infinity;
  each(input.windows, 'windows', (window) => {
    previousEnd = checkWindow(window, layout, roster, previousEnd, input.now).end;
  });
  return input;
}

/**
 * Returns `value` as an input whose windows have yet to be checked, one by one, by `checkWindow`.
 * @throws VerdictInputError at the first thing that is wrong.
 */
export function checkHead(value: unknown): VerdictInput {
  const { now, windows } = checkSubject(value) as Partial<VerdictInput>;
  if (!isNumber(now)) wrong('now', 'Unix seconds', now);
  list(windows, 'windows');
  return value as VerdictInput;
}

/**
 * Returns `value` as the subject of a judgement.
 * @throws VerdictInputError at the first thing that is wrong.
 */
export function checkSubject(value: unknown): Subject {
  const subject = record(value, 'the input');
  for (const key of ['app', 'canary', 'baseline'] as const) text(subject[key], key);
  const { windowSeconds } = subject;
  if (!isNumber(windowSeconds) || windowSeconds <= 0) {
    wrong('windowSeconds', 'a positive number', windowSeconds);
  }
  checkBuckets(subject.buckets);
  return value as Subject;
}

function checkBuckets(value: unknown): void {
  const { schema, upperBounds } = record(value, 'buckets');
  if (schema !== undefined) {
    if (!Number.isInteger(schema) || (schema as number) < -4 || (schema as number) > 8) {
      wrong('buckets.schema', 'an integer from -4 to 8', schema);
    }
    return;
  }
  const bounds = list(upperBounds, 'buckets.upperBounds');
  if (bounds.length === 0) wrong('buckets.upperBounds', 'at least one bound', bounds);
  let previous = 0;
  each(bounds, 'buckets.upperBounds', (bound) => {
    if (!isNumber(bound) || bound <= previous) wrong('', `seconds above ${previous}`, bound);
    previous = bound;
  });
}
