// Anything in (parsed JSON, usually); the same value as a judge's input out, or an error that names the place.
import { layoutOf } from './buckets.ts';
import type { Layout } from './buckets.ts';
import { contentionSigns } from './contention.ts';
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
  const input = checkHead(value);
  const layout = layoutOf(input.buckets);
  let previousEnd = -Infinity;
  for (const [i, window] of input.windows.entries()) {
    previousEnd = checkWindow(window, layout, previousEnd, at('windows', i), input.now).end;
  }
  return input;
}

/**
 * Returns `value` as an input whose windows have yet to be checked, one by one, by `checkWindow`.
 * @throws VerdictInputError at the first thing that is wrong.
 */
export function checkHead(value: unknown): VerdictInput {
  const { now, windows } = checkSubject(value) as Partial<VerdictInput>;
  if (!isNumber(now)) wrong('now', 'Unix seconds', now);
  if (!Array.isArray(windows)) wrong('windows', 'an array', windows);
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
    wrong('windowSeconds', 'a positive number', windowSeconds);
  }
  checkBuckets(subject.buckets);
  return value as Subject;
}

/** A window in which everything is right; what counting its durations has shown by the way is not counted again. */
export interface CheckedWindow extends Window {
  /** Observations in the durations of each cell. */
  readonly sizes: readonly number[];
}

/**
 * Returns `value` as a window that ends after `previousEnd` and not after `now`.
 * @throws VerdictInputError at the first thing that is wrong, under `place`.
 */
export function checkWindow(
  value: unknown,
  layout: Layout,
  previousEnd: number,
  place: Place = 'window',
  now = Infinity,
): CheckedWindow {
  const { end, cells, signals } = record(value, place);
  if (!isNumber(end)) wrong(at(place, 'end'), 'Unix seconds', end);
  if (end <= previousEnd) wrong(at(place, 'end'), `later than ${previousEnd}`, end);
  if (end > now) wrong(at(place, 'end'), `no later than now (${now})`, end);
  const seen: Seen = new Map();
  const cellsPlace = at(place, 'cells');
  const sizes: number[] = [];
  for (const [i, cell] of list(cells, cellsPlace).entries()) {
    sizes.push(checkCell(cell, layout, seen, at(cellsPlace, i)));
  }
  if (signals === undefined) return { ...(value as Window), sizes };
  const names = new Set<string>();
  const signalsPlace = at(place, 'signals');
  for (const [i, signal] of list(signals, signalsPlace).entries()) {
    checkSignal(signal, names, at(signalsPlace, i));
  }
  return { ...(value as Window), sizes };
}

/** Returns the number of observations in the durations. */
function checkCell(value: unknown, layout: Layout, seen: Seen, place: Place): number {
  const cell = record(value, place);
  checkKey(cell, seen, place, isArm);
  const requests = count(cell.requests, place, 'requests');
  const errors = count(cell.errors, place, 'errors');
  if (errors > requests) wrong(at(place, 'errors'), `at most ${requests} requests`, errors);
  const { durations, netDurations, cpuWait, contention } = cell;
  const size = durations === undefined ? 0 : checkCounts(durations, layout, at(place, 'durations'));
  if (netDurations !== undefined) checkCounts(netDurations, layout, at(place, 'netDurations'));
  optionalAmount(cell.schedDelaySeconds, place, 'schedDelaySeconds');
  optionalAmount(cell.cpuSeconds, place, 'cpuSeconds');
  if (cpuWait !== undefined) {
    const cpuWaitPlace = at(place, 'cpuWait');
    const { ownSeconds, othersSeconds } = record(cpuWait, cpuWaitPlace);
    amount(ownSeconds, cpuWaitPlace, 'ownSeconds');
    amount(othersSeconds, cpuWaitPlace, 'othersSeconds');
  }
  if (contention === undefined) return size;
  const contentionPlace = at(place, 'contention');
  const signs = record(contention, contentionPlace);
  for (const sign of contentionSigns) optionalAmount(signs[sign], contentionPlace, sign);
  optionalAmount(signs.stealShare, contentionPlace, 'stealShare');
  if (Number(signs.stealShare) > 1)
    wrong(at(contentionPlace, 'stealShare'), 'a share of at most 1', signs.stealShare);
  return size;
}

function checkSignal(value: unknown, names: Set<string>, place: Place): void {
  const { name, kind, better, cells } = record(value, place);
  const label = text(name, place, 'name');
  if (names.has(label)) wrong(at(place, 'name'), 'named once in a window', name);
  names.add(label);
  if (kind !== 'ratio' && kind !== 'mean') wrong(at(place, 'kind'), 'ratio or mean', kind);
  if (better !== 'higher' && better !== 'lower') wrong(at(place, 'better'), 'higher or lower', better);
  const seen: Seen = new Map();
  const cellsPlace = at(place, 'cells');
  for (const [i, item] of list(cells, cellsPlace).entries()) {
    const cellPlace = at(cellsPlace, i);
    const cell = record(item, cellPlace);
    checkKey(cell, seen, cellPlace, isJudgedArm);
    if (kind === 'ratio') count(cell.numerator, cellPlace, 'numerator');
    else amount(cell.numerator, cellPlace, 'numerator');
    count(cell.denominator, cellPlace, 'denominator');
  }
}

/** Nodes of a window by arm. */
type Seen = Map<string, Set<string>>;

/** Checks node and arm, and that no other cell of the window has both. */
function checkKey(
  { node, arm }: Readonly<Record<string, unknown>>,
  seen: Seen,
  place: Place,
  known: (arm: string) => boolean,
): void {
  const name = text(node, place, 'node');
  if (typeof arm !== 'string' || !known(arm)) wrong(at(place, 'arm'), 'a known arm', arm);
  let nodes = seen.get(arm);
  if (!nodes) seen.set(arm, (nodes = new Set()));
  const before = nodes.size;
  if (nodes.add(name).size === before) {
    wrong(place, 'the only cell of its node and arm', `${name}, ${arm}`);
  }
}

function isArm(arm: string): boolean {
  return isJudgedArm(arm) || (arm.startsWith('other:') && arm.length > 6);
}

function isJudgedArm(arm: string): boolean {
  return arm === 'canary' || arm === 'baseline';
}

/** Returns the sum of the counts. */
function checkCounts(value: unknown, { range: [from, to] }: Layout, place: Place): number {
  const { offset, counts } = record(value, place);
  if (!Number.isInteger(offset)) wrong(at(place, 'offset'), 'an integer', offset);
  const countsPlace = at(place, 'counts');
  const items = counts instanceof Float64Array ? counts : list(counts, countsPlace);
  const sum = items instanceof Float64Array ? sumOfTyped(items) : sumOfCounts(items);
  if (sum === undefined) for (const [i, item] of items.entries()) count(item, countsPlace, i);
  const first = offset as number;
  if (first < from || first + items.length - 1 > to) {
    wrong(at(place, 'offset'), `such that all counts lie in buckets ${from} to ${to}`, offset);
  }
  return sum ?? 0;
}

/** The loop that meets every count of a run: undefined if anything is wrong, whatever it is. */
function sumOfCounts(items: readonly unknown[]): number | undefined {
  const { length } = items;
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const item = items[i];
    if (typeof item !== 'number') return undefined;
    // Almost every count is a small integer, which one shift can tell.
    if (item >>> 0 !== item && !(item >= 0 && Number.isSafeInteger(item))) return undefined;
    sum += item;
  }
  return sum;
}

/** The same for what is known to be numbers, four in a turn. */
function sumOfTyped(items: Float64Array): number | undefined {
  const { length } = items;
  let sum = 0;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    const a = items[i] ?? 0;
    const b = items[i + 1] ?? 0;
    const c = items[i + 2] ?? 0;
    const d = items[i + 3] ?? 0;
    if (a >>> 0 !== a || b >>> 0 !== b || c >>> 0 !== c || d >>> 0 !== d) return sumOfCounts([...items]);
    sum = sum + a + b + c + d;
  }
  for (; i < length; i++) {
    const item = items[i] ?? 0;
    if (item >>> 0 !== item) return sumOfCounts([...items]);
    sum += item;
  }
  return sum;
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
  for (const [i, bound] of bounds.entries()) {
    if (!isNumber(bound) || bound <= previous) {
      wrong(`buckets.upperBounds[${i}]`, `seconds above ${previous}`, bound);
    }
    previous = bound;
  }
}

/** Where a value is. It is spelled out only for an error: a run has a million values that are right. */
export type Place = string | { readonly parent: Place; readonly key: string | number };

function at(parent: Place, key: string | number): Place {
  return { parent, key };
}

/** Returns the path of a place. */
export function spelled(place: Place): string {
  if (typeof place === 'string') return place;
  const { parent, key } = place;
  if (typeof key === 'number') return `${spelled(parent)}[${key}]`;
  return parent === '' ? key : `${spelled(parent)}.${key}`;
}

function wrong(place: Place, expected: string, got: unknown): never {
  throw new VerdictInputError(spelled(place), expected, got);
}

function record(value: unknown, place: Place): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(place, 'an object', value);
  return value as Readonly<Record<string, unknown>>;
}

/** Callers go through `entries()`, which shows the holes of a sparse array where `forEach` would skip them. */
function list(value: unknown, place: Place): readonly unknown[] {
  if (!Array.isArray(value)) wrong(place, 'an array', value);
  return value;
}

function text(value: unknown, parent: Place, key: string): string {
  if (typeof value !== 'string' || value === '') wrong(at(parent, key), 'a non-empty string', value);
  return value;
}

function count(value: unknown, parent: Place, key: string | number): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    wrong(at(parent, key), 'a whole number of at least 0', value);
  }
  return value as number;
}

function amount(value: unknown, parent: Place, key: string): void {
  if (!isNumber(value) || value < 0) wrong(at(parent, key), 'a number of at least 0', value);
}

function optionalAmount(value: unknown, parent: Place, key: string): void {
  if (value !== undefined) amount(value, parent, key);
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
