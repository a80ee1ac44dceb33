// Series of running totals in; what each group (a version on a node) added from moment to moment out.
import type { Labels, Series } from './series.ts';
import { copyValues } from './series.ts';

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

/** The series of one version on one node, by what tells them apart. */
export interface Group<Key, One extends Series> {
  readonly labels: Labels & { readonly version: string; readonly node: string };
  readonly members: Map<Key, One>;
  /** Labels of a series whose key another one has. */
  twice?: Labels;
}

/**
 * Returns the increases of each group. A counter that is new while its group was there before started from zero; a
 * total that falls (a restart, a series that is gone) voids the window for its group.
 * @throws NoCounterError where the totals are rates or gauges, or two series have the same labels.
 */
export function increasesOf(
  series: readonly Series[],
  nameOf: (labels: Labels) => string | undefined,
  keyOf: (labels: Labels) => string,
  times: readonly number[],
  wholeNumbers: boolean,
): ReadonlyMap<string, Increases> {
  const { length } = times;
  const result = new Map<string, Increases>();
  for (const group of groupsOf(series, ({ labels }) => keyOf(labels))) {
    const name = nameOf(group.labels);
    if (name === undefined) continue;
    const { members } = group;
    const rows = new Float64Array(members.size * length);
    const state = readTotals(rows, [...members.values()], times, group.twice);
    const byKey = new Map<string, Float64Array>();
    for (const key of members.keys()) {
      const row = rows.subarray(byKey.size * length, (byKey.size + 1) * length);
      takeDifferences(row, state, wholeNumbers);
      byKey.set(key, row);
    }
    result.set(name, { byKey, state });
  }
  checkFalls([...result.values()]);
  return result;
}

/** Sorts series that have a key by version, node and key. There may be ten thousand: no name is made up for each. */
export function groupsOf<Key, One extends Series>(
  series: readonly One[],
  keyOf: (one: One) => Key | undefined,
): readonly Group<Key, One>[] {
  const groups: Group<Key, One>[] = [];
  const byVersion = new Map<string, Map<string, Group<Key, One>>>();
  for (const one of series) {
    const key = keyOf(one);
    if (key === undefined) continue;
    const { version = '', node = '' } = one.labels;
    let byNode = byVersion.get(version);
    if (!byNode) byVersion.set(version, (byNode = new Map<string, Group<Key, One>>()));
    let group = byNode.get(node);
    if (!group) {
      group = { labels: { version, node }, members: new Map<Key, One>() };
      byNode.set(node, group);
      groups.push(group);
    }
    const before = group.members.size;
    if (group.members.set(key, one).size === before) group.twice = one.labels;
  }
  return groups;
}

/**
 * Fills `rows` with the totals of a group, a row of as many numbers as there are moments for each of its members, and
 * returns in which windows it was seen. A member that is absent while others are seen has counted nothing.
 * @throws NoCounterError where two series have the same labels.
 */
export function readTotals(
  rows: Float64Array,
  members: readonly Series[],
  times: readonly number[],
  twice: Labels | undefined,
): States {
  if (twice) throw new NoCounterError(duplicateText(twice));
  const { length } = times;
  let row = 0;
  for (const one of members) {
    copyValues(one, times, rows, row);
    row += length;
  }
  const state = new Uint8Array(length).fill(counted, 1);
  if (rows.includes(NaN)) fillHoles(rows, state);
  return state;
}

function fillHoles(totals: Float64Array, state: States): void {
  const { length } = state;
  const isSeen = new Uint8Array(length);
  for (const [i, total] of totals.entries()) {
    if (Number.isNaN(total)) totals[i] = 0;
    else isSeen[i % length] = 1;
  }
  for (let i = 1; i < length; i++) if (isSeen[i] === 0 || isSeen[i - 1] === 0) state[i] = unseen;
}

/**
 * Puts increases in place of the totals of one counter. A fall voids its window in `state`.
 * @throws NoCounterError where `wholeNumbers` are wanted and there are others.
 */
function takeDifferences(totals: Float64Array, state: States, wholeNumbers: boolean): void {
  let before = totals[0] ?? 0;
  if (!isTotal(before, wholeNumbers)) throw new NoCounterError(notCountText(before));
  for (let i = 1; i < totals.length; i++) {
    const total = totals[i] ?? 0;
    const increase = total - before;
    before = total;
    // Whole totals have whole increases, and those are at hand.
    if (!isTotal(increase, wholeNumbers)) throw new NoCounterError(notCountText(total));
    totals[i] = increase;
    if (increase < 0 && state[i] === counted) state[i] = fallen;
  }
  totals[0] = 0;
}

function isTotal(value: number, wholeNumbers: boolean): boolean {
  return wholeNumbers ? isWhole(value) : value - value === 0;
}

/** Whether it is a finite number without a fraction. */
export function isWhole(value: number): boolean {
  return value - value === 0 && Math.floor(value) === value;
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

export function notCountText(value: number): string {
  return `it has ${value.toPrecision(4)}, which is no count`;
}

export function duplicateText(labels: Labels): string {
  const shown = Object.entries(labels)
    .filter(([name]) => name !== '__name__')
    .map(([name, value]) => `${name}="${value}"`);
  return `several series have the labels that count here, as {${shown.join(', ')}}`;
}
