// Series of running totals in; what each group (a version on a node) added from moment to moment out.
import type { Labels, Series } from './series.ts';
import { valuesAt } from './series.ts';

/** Differences of some counters of one group, by the last moment of each window; index 0 is not used. */
export interface Increases {
  /** By the counter's key within the group (a status class, or '' when there is one). */
  readonly byKey: ReadonlyMap<string, Float64Array>;
  readonly state: States;
}

/** By the last moment of each window: `counted`, `unseen` or `fallen`. */
export type States = Uint8Array;
/** Nothing was seen at one of the window's ends. */
export const unseen = 0;
export const counted = 1;
/** A total fell, so that nothing is known. */
export const fallen = 2;

/** Totals that make no sense as counters; the reason is for people. */
export class NoCounterError extends Error {
  override readonly name = 'NoCounterError';
}

/**
 * Returns the increases of each group. A counter that is new while its group was there before started from zero; a
 * total that falls (a restart, a series that is gone) voids the window for its group.
 * @throws NoCounterError where the totals are rates or gauges, or two series have the same labels.
 */
export function increasesOf(
  series: readonly Series[],
  groupOf: (labels: Labels) => string | undefined,
  keyOf: (labels: Labels) => string,
  times: readonly number[],
  wholeNumbers: boolean,
): ReadonlyMap<string, Increases> {
  const { length } = times;
  const result = new Map<string, Increases>();
  for (const [group, members] of groupsOf(series, groupOf, ({ labels }) => keyOf(labels))) {
    const rows = new Float64Array(members.size * length);
    const state = fillIncreases(rows, [...members.values()], times, wholeNumbers);
    const byKey = new Map(
      [...members.keys()].map((key, i) => [key, rows.subarray(i * length, (i + 1) * length)]),
    );
    result.set(group, { byKey, state });
  }
  checkFalls([...result.values()]);
  return result;
}

/**
 * Sorts series by group and key.
 * @throws NoCounterError where two have the same.
 */
export function groupsOf<Key, One extends Series>(
  series: readonly One[],
  groupOf: (labels: Labels) => string | undefined,
  keyOf: (one: One) => Key,
): ReadonlyMap<string, ReadonlyMap<Key, One>> {
  const groups = new Map<string, Map<Key, One>>();
  for (const one of series) {
    const group = groupOf(one.labels);
    if (group === undefined) continue;
    let members = groups.get(group);
    if (!members) groups.set(group, (members = new Map<Key, One>()));
    const key = keyOf(one);
    if (members.has(key)) throw new NoCounterError(duplicateText(one.labels));
    members.set(key, one);
  }
  return groups;
}

/**
 * Fills `rows` with the increases of the members of one group, a row of as many numbers as there are moments for
 * each, and returns what is known of each window. A panel of twenty nodes has two million totals: where none is
 * missing, as almost always, they are read once.
 * @throws NoCounterError where `wholeNumbers` are wanted and there are others.
 */
export function fillIncreases(
  rows: Float64Array,
  members: readonly Series[],
  times: readonly number[],
  wholeNumbers: boolean,
): States {
  const { length } = times;
  const values = members.map((one) => valuesAt(one, times));
  const state = new Uint8Array(length).fill(counted, 1);
  const isWhole = values.every((totals, member) =>
    fillComplete(rows, member * length, totals, state, wholeNumbers),
  );
  return isWhole ? state : fillWithHoles(rows, values, length, wholeNumbers);
}

/** Returns false as soon as a total is missing or no count; whole totals have whole increases, and those are at hand. */
function fillComplete(
  rows: Float64Array,
  start: number,
  totals: ArrayLike<unknown>,
  state: States,
  wholeNumbers: boolean,
): boolean {
  const first = totals[0];
  if (typeof first !== 'number' || !(wholeNumbers ? Number.isInteger(first) : Number.isFinite(first)))
    return false;
  let before = first;
  rows[start] = 0;
  for (let i = 1; i < state.length; i++) {
    const after = totals[i];
    if (typeof after !== 'number') return false;
    const increase = after - before;
    before = after;
    if (wholeNumbers && Math.floor(increase) !== increase) return false;
    if (increase >= 0 && increase < Infinity) {
      rows[start + i] = increase;
    } else if (increase < 0 && increase > -Infinity) {
      rows[start + i] = 0;
      state[i] = fallen;
    } else {
      return false;
    }
  }
  return true;
}

/** The same where some are missing: they are told apart one by one. */
function fillWithHoles(
  rows: Float64Array,
  values: readonly ArrayLike<unknown>[],
  length: number,
  wholeNumbers: boolean,
): States {
  const present = new Uint8Array(length);
  for (const totals of values) {
    for (let i = 0; i < length; i++) {
      const total = totals[i];
      if (!isNumber(total)) continue;
      if (wholeNumbers && Math.floor(total) !== total) throw new NoCounterError(notWholeText(total));
      present[i] = 1;
    }
  }
  const state = new Uint8Array(length);
  for (let i = 1; i < length; i++) state[i] = present[i] === 1 && present[i - 1] === 1 ? counted : unseen;
  for (const [member, totals] of values.entries()) {
    rows[member * length] = 0;
    for (let i = 1; i < length; i++) {
      const [after, before] = [totals[i], totals[i - 1]];
      rows[member * length + i] = 0;
      if (state[i] === unseen) continue;
      // Absent before: from zero. Absent now: the series is gone, and with it what it had counted.
      const increase = isNumber(after) ? after - (isNumber(before) ? before : 0) : isNumber(before) ? -1 : 0;
      if (increase < 0) state[i] = fallen;
      else rows[member * length + i] = increase;
    }
  }
  return state;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/** A counter falls when something restarts; a gauge or a rate falls all the time. */
export function checkFalls(groups: readonly { readonly state: States }[]): void {
  let fell = 0;
  let seen = 0;
  for (const { state } of groups) {
    for (const one of state) {
      if (one === fallen) fell += 1;
      if (one !== unseen) seen += 1;
    }
  }
  if (seen >= 8 && fell > seen / 4) throw new NoCounterError('its totals fall again and again');
}

function notWholeText(value: number): string {
  return `it has ${value.toPrecision(4)}, which is no count`;
}

function duplicateText(labels: Labels): string {
  const shown = Object.entries(labels)
    .filter(([name]) => name !== '__name__')
    .map(([name, value]) => `${name}="${value}"`);
  return `several series have the labels that count here, as {${shown.join(', ')}}`;
}
