// Anything in (parsed JSON, usually); the same value as a judge's input out, or an error that names the place.
import { layoutOf } from './buckets.ts';
import type { Layout } from './buckets.ts';
import type { Subject, VerdictInput, Window } from './types.ts';

/** Input that no judgement can rest on; `place` is a path such as `windows[3].cells[1].errors`. */
export class VerdictInputError extends Error {
  override readonly name = 'VerdictInputError';
  readonly place: string;

  constructor(place: string, expected: string, got: unknown) {
    super(`Expected ${place} to be ${expected}, got ${shown(got)}`);
    this.place = place;
  }
}

/**
 * Returns `value` as the input of `judge`. Missing data is no error: windows, cells and histograms may be empty.
 * @throws VerdictInputError at the first thing that is wrong.
 */
export function checkInput(value: unknown): VerdictInput {
  const input = checkSubject(value);
  const { now, windows } = input as Partial<VerdictInput>;
  if (!isNumber(now)) throw new VerdictInputError('now', 'Unix seconds', now);
  if (!Array.isArray(windows)) throw new VerdictInputError('windows', 'an array', windows);
  const layout = layoutOf(input.buckets);
  let previousEnd = -Infinity;
  windows.forEach((window: unknown, i) => {
    const { end } = checkWindow(window, layout, previousEnd, `windows[${i}]`);
    if (end > now) throw new VerdictInputError(`windows[${i}].end`, `no later than now (${now})`, end);
    previousEnd = end;
  });
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
    throw new VerdictInputError('windowSeconds', 'a positive number', windowSeconds);
  }
  checkBuckets(subject.buckets);
  return value as Subject;
}

/**
 * Returns `value` as a window that ends after `previousEnd`.
 * @throws VerdictInputError at the first thing that is wrong, under `place`.
 */
export function checkWindow(value: unknown, layout: Layout, previousEnd: number, place = 'window'): Window {
  const { end, cells, signals } = record(value, place);
  if (!isNumber(end)) throw new VerdictInputError(`${place}.end`, 'Unix seconds', end);
  if (end <= previousEnd) throw new VerdictInputError(`${place}.end`, `later than ${previousEnd}`, end);
  const seen = new Set<string>();
  list(cells, `${place}.cells`).forEach((cell, i) => {
    checkCell(cell, layout, seen, `${place}.cells[${i}]`);
  });
  if (signals === undefined) return value as Window;
  const names = new Set<string>();
  list(signals, `${place}.signals`).forEach((signal, i) => {
    checkSignal(signal, names, `${place}.signals[${i}]`);
  });
  return value as Window;
}

function checkCell(value: unknown, layout: Layout, seen: Set<string>, place: string): void {
  const cell = record(value, place);
  checkKey(cell, seen, place, (arm) => arm === 'canary' || arm === 'baseline' || /^other:./.test(arm));
  const requests = count(cell.requests, `${place}.requests`);
  const errors = count(cell.errors, `${place}.errors`);
  if (errors > requests)
    throw new VerdictInputError(`${place}.errors`, `at most ${requests} requests`, errors);
  for (const key of ['durations', 'netDurations'] as const) {
    if (cell[key] !== undefined) checkCounts(cell[key], layout, `${place}.${key}`);
  }
  optionalAmount(cell.schedDelaySeconds, `${place}.schedDelaySeconds`);
  if (cell.contention === undefined) return;
  const contention = record(cell.contention, `${place}.contention`);
  for (const key of ['runqueueP95Seconds', 'throttledShare', 'cpuPressureShare'] as const) {
    optionalAmount(contention[key], `${place}.contention.${key}`);
  }
}

function checkSignal(value: unknown, names: Set<string>, place: string): void {
  const { name, kind, better, cells } = record(value, place);
  if (names.has(text(name, `${place}.name`))) {
    throw new VerdictInputError(`${place}.name`, 'named once in a window', name);
  }
  names.add(text(name, `${place}.name`));
  if (kind !== 'ratio' && kind !== 'mean')
    throw new VerdictInputError(`${place}.kind`, 'ratio or mean', kind);
  if (better !== 'higher' && better !== 'lower') {
    throw new VerdictInputError(`${place}.better`, 'higher or lower', better);
  }
  const seen = new Set<string>();
  list(cells, `${place}.cells`).forEach((item, i) => {
    const at = `${place}.cells[${i}]`;
    const cell = record(item, at);
    checkKey(cell, seen, at, (arm) => arm === 'canary' || arm === 'baseline');
    if (kind === 'ratio') count(cell.numerator, `${at}.numerator`);
    else amount(cell.numerator, `${at}.numerator`);
    count(cell.denominator, `${at}.denominator`);
  });
}

/** Checks node and arm, and that no other cell of the window has both. */
function checkKey(
  { node, arm }: Readonly<Record<string, unknown>>,
  seen: Set<string>,
  place: string,
  known: (arm: string) => boolean,
): void {
  text(node, `${place}.node`);
  if (typeof arm !== 'string' || !known(arm)) throw new VerdictInputError(`${place}.arm`, 'a known arm', arm);
  const key = JSON.stringify([node, arm]);
  if (seen.has(key))
    throw new VerdictInputError(place, 'the only cell of its node and arm', `${String(node)}, ${arm}`);
  seen.add(key);
}

function checkCounts(value: unknown, { range: [from, to] }: Layout, place: string): void {
  const { offset, counts } = record(value, place);
  if (!Number.isInteger(offset)) throw new VerdictInputError(`${place}.offset`, 'an integer', offset);
  const values = list(counts, `${place}.counts`);
  const first = offset as number;
  if (first < from || first + values.length - 1 > to) {
    throw new VerdictInputError(place, `within the buckets ${from} to ${to}`, [
      first,
      first + values.length - 1,
    ]);
  }
  for (let i = 0; i < values.length; i++) {
    const item = values[i];
    // The one loop that meets every count of a run: a plain test first, the careful one only when it fails.
    if (typeof item === 'number' && item >= 0 && Number.isSafeInteger(item)) continue;
    count(item, `${place}.counts[${i}]`);
  }
}

function checkBuckets(value: unknown): void {
  const { schema, upperBounds } = record(value, 'buckets');
  if (schema !== undefined) {
    if (!Number.isInteger(schema) || (schema as number) < -4 || (schema as number) > 8) {
      throw new VerdictInputError('buckets.schema', 'an integer from -4 to 8', schema);
    }
    return;
  }
  const bounds = list(upperBounds, 'buckets.upperBounds');
  if (bounds.length === 0) throw new VerdictInputError('buckets.upperBounds', 'at least one bound', bounds);
  let previous = 0;
  bounds.forEach((bound, i) => {
    if (!isNumber(bound) || bound <= previous) {
      throw new VerdictInputError(`buckets.upperBounds[${i}]`, `seconds above ${previous}`, bound);
    }
    previous = bound;
  });
}

function record(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new VerdictInputError(place, 'an object', value);
  }
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new VerdictInputError(place, 'an array', value);
  return value;
}

function text(value: unknown, place: string): string {
  if (typeof value !== 'string' || value === '')
    throw new VerdictInputError(place, 'a non-empty string', value);
  return value;
}

function count(value: unknown, place: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new VerdictInputError(place, 'a whole number of at least 0', value);
  }
  return value as number;
}

function amount(value: unknown, place: string): void {
  if (!isNumber(value) || value < 0) throw new VerdictInputError(place, 'a number of at least 0', value);
}

function optionalAmount(value: unknown, place: string): void {
  if (value !== undefined) amount(value, place);
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
