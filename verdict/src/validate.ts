// Anything in (parsed JSON, usually); the same value as a judge's input out, or an error that names the place.
import { layoutOf } from './buckets.ts';
import type { Layout } from './buckets.ts';
import { contentionSigns } from './contention.ts';
import type { BucketCounts, Subject, VerdictInput, Window } from './types.ts';

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
  const input = checkHead(value);
  const layout = layoutOf(input.buckets);
  let previousEnd = -Infinity;
  for (const [i, window] of input.windows.entries()) {
    previousEnd = checkWindow(window, layout, previousEnd, `windows[${i}]`, input.now).end;
  }
  return input;
}

/**
 * Returns `value` as an input whose windows have yet to be checked, one by one, by `checkWindow`.
 * @throws VerdictInputError at the first thing that is wrong.
 */
export function checkHead(value: unknown): VerdictInput {
  const { now, windows } = checkSubject(value) as Partial<VerdictInput>;
  if (!isNumber(now)) throw new VerdictInputError('now', 'Unix seconds', now);
  if (!Array.isArray(windows)) throw new VerdictInputError('windows', 'an array', windows);
  return value as VerdictInput;
}

/**
 * Returns `value` as the subject of a judgement.
 * @throws VerdictInputError at the first thing that is wrong.
 */
export function checkSubject(value: unknown): Subject {
  const subject = record(value, 'the input');
  for (const key of ['app', 'canary', 'baseline'] as const) text(subject[key], '', key);
  const { windowSeconds } = subject;
  if (!isNumber(windowSeconds) || windowSeconds <= 0) {
    throw new VerdictInputError('windowSeconds', 'a positive number', windowSeconds);
  }
  checkBuckets(subject.buckets);
  return value as Subject;
}

/**
 * Returns `value` as a window that ends after `previousEnd` and not after `now`.
 * @throws VerdictInputError at the first thing that is wrong, under `place`.
 */
export function checkWindow(
  value: unknown,
  layout: Layout,
  previousEnd: number,
  place = 'window',
  now = Infinity,
): Window {
  const { end, cells, signals } = record(value, place);
  if (!isNumber(end)) throw new VerdictInputError(`${place}.end`, 'Unix seconds', end);
  if (end <= previousEnd) throw new VerdictInputError(`${place}.end`, `later than ${previousEnd}`, end);
  if (end > now) throw new VerdictInputError(`${place}.end`, `no later than now (${now})`, end);
  const seen = new Set<string>();
  for (const [i, cell] of list(cells, `${place}.cells`).entries()) {
    checkCell(cell, layout, seen, `${place}.cells[${i}]`);
  }
  if (signals === undefined) return value as Window;
  const names = new Set<string>();
  for (const [i, signal] of list(signals, `${place}.signals`).entries()) {
    checkSignal(signal, names, `${place}.signals[${i}]`);
  }
  return value as Window;
}

function checkCell(value: unknown, layout: Layout, seen: Set<string>, place: string): void {
  const cell = record(value, place);
  checkKey(
    cell,
    seen,
    place,
    (arm) => arm === 'canary' || arm === 'baseline' || (arm.startsWith('other:') && arm.length > 6),
  );
  const requests = count(cell.requests, place, 'requests');
  const errors = count(cell.errors, place, 'errors');
  if (errors > requests)
    throw new VerdictInputError(`${place}.errors`, `at most ${requests} requests`, errors);
  for (const key of ['durations', 'netDurations'] as const) {
    if (cell[key] !== undefined) checkCounts(cell[key], layout, place, key);
  }
  optionalAmount(cell.schedDelaySeconds, place, 'schedDelaySeconds');
  if (cell.contention === undefined) return;
  const contention = record(cell.contention, `${place}.contention`);
  for (const key of contentionSigns) {
    optionalAmount(contention[key], `${place}.contention`, key);
  }
}

function checkSignal(value: unknown, names: Set<string>, place: string): void {
  const { name, kind, better, cells } = record(value, place);
  if (names.has(text(name, place, 'name'))) {
    throw new VerdictInputError(`${place}.name`, 'named once in a window', name);
  }
  names.add(text(name, place, 'name'));
  if (kind !== 'ratio' && kind !== 'mean')
    throw new VerdictInputError(`${place}.kind`, 'ratio or mean', kind);
  if (better !== 'higher' && better !== 'lower') {
    throw new VerdictInputError(`${place}.better`, 'higher or lower', better);
  }
  const seen = new Set<string>();
  for (const [i, item] of list(cells, `${place}.cells`).entries()) {
    const at = `${place}.cells[${i}]`;
    const cell = record(item, at);
    checkKey(cell, seen, at, (arm) => arm === 'canary' || arm === 'baseline');
    if (kind === 'ratio') count(cell.numerator, at, 'numerator');
    else amount(cell.numerator, at, 'numerator');
    count(cell.denominator, at, 'denominator');
  }
}

/** Checks node and arm, and that no other cell of the window has both. */
function checkKey(
  { node, arm }: Readonly<Record<string, unknown>>,
  seen: Set<string>,
  place: string,
  known: (arm: string) => boolean,
): void {
  const name = text(node, place, 'node');
  if (typeof arm !== 'string' || !known(arm)) throw new VerdictInputError(`${place}.arm`, 'a known arm', arm);
  const key = `${arm.length} ${arm}${name}`;
  if (seen.has(key))
    throw new VerdictInputError(place, 'the only cell of its node and arm', `${name}, ${arm}`);
  seen.add(key);
}

function checkCounts(value: unknown, { range: [from, to] }: Layout, parent: string, key: string): void {
  if (!isCounts(value, from, to)) complain(value, from, to, `${parent}.${key}`);
}

/** The test that meets every count of a run: no more than a yes or no. */
function isCounts(value: unknown, from: number, to: number): boolean {
  const { offset, counts } = (
    typeof value === 'object' && value !== null ? value : {}
  ) as Partial<BucketCounts>;
  if (!Number.isInteger(offset) || !Array.isArray(counts)) return false;
  const first = offset ?? 0;
  if (first < from || first + counts.length - 1 > to) return false;
  for (const item of counts as readonly unknown[]) {
    if (typeof item !== 'number') return false;
    // Almost every count is a small integer, which one shift can tell.
    if (item >>> 0 !== item && !(item >= 0 && Number.isSafeInteger(item))) return false;
  }
  return true;
}

/** Finds out what is wrong with counts that failed the test. */
function complain(value: unknown, from: number, to: number, place: string): never {
  const { offset, counts } = record(value, place);
  if (!Number.isInteger(offset)) throw new VerdictInputError(`${place}.offset`, 'an integer', offset);
  for (const [i, item] of list(counts, `${place}.counts`).entries()) count(item, `${place}.counts`, i);
  throw new VerdictInputError(
    `${place}.offset`,
    `such that all counts lie in buckets ${from} to ${to}`,
    offset,
  );
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
  for (const [i, bound] of bounds.entries()) {
    if (!isNumber(bound) || bound <= previous) {
      throw new VerdictInputError(`buckets.upperBounds[${i}]`, `seconds above ${previous}`, bound);
    }
    previous = bound;
  }
}

function record(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new VerdictInputError(place, 'an object', value);
  }
  return value as Readonly<Record<string, unknown>>;
}

/** Callers go through `entries()`, which shows the holes of a sparse array where `forEach` would skip them. */
function list(value: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new VerdictInputError(place, 'an array', value);
  return value;
}

function text(value: unknown, parent: string, key: string): string {
  if (typeof value !== 'string' || value === '') wrong(parent, key, 'a non-empty string', value);
  return value;
}

function count(value: unknown, parent: string, key: string | number): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    wrong(parent, key, 'a whole number of at least 0', value);
  }
  return value as number;
}

function amount(value: unknown, parent: string, key: string): void {
  if (!isNumber(value) || value < 0) wrong(parent, key, 'a number of at least 0', value);
}

function optionalAmount(value: unknown, parent: string, key: string): void {
  if (value !== undefined) amount(value, parent, key);
}

/** Places are put together only here: a run has a million values that are right. */
function wrong(parent: string, key: string | number, expected: string, got: unknown): never {
  const place = typeof key === 'number' ? `${parent}[${key}]` : parent === '' ? key : `${parent}.${key}`;
  throw new VerdictInputError(place, expected, got);
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
