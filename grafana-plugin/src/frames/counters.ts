// Series of running totals in; what each group (a version on a node) added from moment to moment out.
import type { Labels, Series } from './series.ts';
import { valuesAt } from './series.ts';

/** Differences of some counters of one group, by the last moment of each window; index 0 is not used. */
export interface Increases {
  /** By the counter's key within the group (a status class, a bucket, or '' when there is one). */
  readonly byKey: ReadonlyMap<string, Float64Array>;
  /** 1: counted; 0: nothing was seen at one of its ends; 2: a total fell, so that nothing is known. */
  readonly state: Uint8Array;
}

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
  const groups = new Map<string, Map<string, ArrayLike<unknown>>>();
  for (const one of series) {
    const group = groupOf(one.labels);
    if (group === undefined) continue;
    const members = groups.get(group) ?? new Map<string, ArrayLike<unknown>>();
    groups.set(group, members);
    const key = keyOf(one.labels);
    if (members.has(key)) throw new NoCounterError(duplicateText(one.labels));
    members.set(key, valuesAt(one, times));
  }
  const result = new Map<string, Increases>();
  for (const [group, members] of groups)
    result.set(group, groupIncreases(members, times.length, wholeNumbers));
  checkFalls([...result.values()]);
  return result;
}

export const unseen = 0;
export const counted = 1;
export const fallen = 2;

function groupIncreases(
  members: ReadonlyMap<string, ArrayLike<unknown>>,
  length: number,
  wholeNumbers: boolean,
): Increases {
  const present = new Uint8Array(length);
  for (const values of members.values()) {
    for (let i = 0; i < length; i++) if (isNumber(values[i])) present[i] = 1;
  }
  const state = new Uint8Array(length);
  for (let i = 1; i < length; i++) state[i] = present[i] === 1 && present[i - 1] === 1 ? counted : unseen;
  const byKey = new Map<string, Float64Array>();
  for (const [key, values] of members) {
    const increases = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      const [after, before] = [values[i], i > 0 ? values[i - 1] : undefined];
      if (wholeNumbers && isNumber(after) && !Number.isInteger(after))
        throw new NoCounterError(notWholeText(after));
      if (i === 0 || state[i] === unseen) continue;
      // Absent before: from zero. Absent now: the series is gone, and with it what it had counted.
      const increase = isNumber(after) ? after - (isNumber(before) ? before : 0) : isNumber(before) ? -1 : 0;
      if (increase < 0) state[i] = fallen;
      else increases[i] = increase;
    }
    byKey.set(key, increases);
  }
  return { byKey, state };
}

/** A counter falls when something restarts; a gauge or a rate falls all the time. */
function checkFalls(groups: readonly Increases[]): void {
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

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
