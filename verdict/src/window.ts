// Anything that should be a window in; its cells, each as a member of the run that is known to be right, out.
import type { Layout } from './buckets.ts';
import { amount, count, each, isNumber, list, optionalAmount, record, text, wrong } from './checks.ts';
import { contentionSigns } from './contention.ts';
import { memberOf, nextWindow } from './roster.ts';
import type { Member, Roster } from './roster.ts';
import type { Cell, Window } from './types.ts';

/** A window in which everything is right. */
export interface CheckedWindow extends Window {
  /** Whose cells these are, cell by cell. */
  readonly members: readonly Member[];
}

/**
 * Returns `value` as a window that ends after `previousEnd` and not after `now`; `roster` knows its members from then on.
 * @throws VerdictInputError at the first thing that is wrong, named as seen from the window.
 */
export function checkWindow(
  value: unknown,
  layout: Layout,
  roster: Roster,
  previousEnd: number,
  now = Infinity,
): CheckedWindow {
  const { end, cells, signals } = record(value, '');
  if (!isNumber(end)) wrong('end', 'Unix seconds', end);
  if (end <= previousEnd) wrong('end', `later than ${previousEnd}`, end);
  if (end > now) wrong('end', `no later than now (${now})`, end);
  const members: Member[] = [];
  nextWindow(roster);
  each(list(cells, 'cells'), 'cells', (cell) => {
    members.push(checkCell(cell, layout, roster));
  });
  if (signals !== undefined) {
    const names = new Set<string>();
    each(list(signals, 'signals'), 'signals', (signal) => {
      checkSignal(signal, names);
    });
  }
  return { ...(value as Window), members };
}

function checkCell(value: unknown, layout: Layout, roster: Roster): Member {
  const cell = record(value, '');
  const member = memberOf(roster, cell.node, cell.arm);
  const requests = count(cell.requests, 'requests');
  const errors = count(cell.errors, 'errors');
  if (errors > requests) wrong('errors', `at most ${requests} requests`, errors);
  const { durations, netDurations, cpuWait, contention } = cell;
  member.cell = value as Cell;
  member.size = durations === undefined ? 0 : checkCounts(durations, layout, 'durations');
  if (netDurations !== undefined) checkCounts(netDurations, layout, 'netDurations');
  optionalAmount(cell.schedDelaySeconds, 'schedDelaySeconds');
  optionalAmount(cell.cpuSeconds, 'cpuSeconds');
  if (cpuWait !== undefined) {
    const { ownSeconds, othersSeconds } = record(cpuWait, 'cpuWait');
    amount(ownSeconds, 'cpuWait.ownSeconds');
    amount(othersSeconds, 'cpuWait.othersSeconds');
  }
  if (contention !== undefined) checkContention(contention);
  return member;
}

function checkContention(value: unknown): void {
  const signs = record(value, 'contention');
  for (const sign of contentionSigns) optionalAmount(signs[sign], `contention.${sign}`);
  optionalAmount(signs.stealShare, 'contention.stealShare');
  if (Number(signs.stealShare) > 1) wrong('contention.stealShare', 'a share of at most 1', signs.stealShare);
}

/** Returns the number of observations. */
function checkCounts(value: unknown, { range: [from, to] }: Layout, place: string): number {
  const { offset, counts } = record(value, place);
  if (!Number.isInteger(offset)) wrong(`${place}.offset`, 'an integer', offset);
  const items = counts instanceof Float64Array ? counts : list(counts, `${place}.counts`);
  const sum = sumOfCounts(items);
  if (sum === undefined) each([...items], `${place}.counts`, (item) => count(item, ''));
  const first = offset as number;
  if (first < from || first + items.length - 1 > to) {
    wrong(`${place}.offset`, `such that all counts lie in buckets ${from} to ${to}`, offset);
  }
  return sum ?? 0;
}

/**
 * The loop that meets every count of a run: undefined if anything is wrong, whatever it is. Engines look at every array
 * anew in each turn of a loop, so a turn takes four.
 */
function sumOfCounts(items: ArrayLike<unknown>): number | undefined {
  const { length } = items;
  let sum = 0;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    const a = items[i];
    const b = items[i + 1];
    const c = items[i + 2];
    const d = items[i + 3];
    if (!isCount(a) || !isCount(b) || !isCount(c) || !isCount(d)) return undefined;
    sum += a + b + c + d;
  }
  for (; i < length; i++) {
    const item = items[i];
    if (!isCount(item)) return undefined;
    sum += item;
  }
  return sum;
}

/** Almost every count is a small integer, which one shift can tell. */
function isCount(item: unknown): item is number {
  return typeof item === 'number' && (item >>> 0 === item || (item >= 0 && Number.isSafeInteger(item)));
}

function checkSignal(value: unknown, names: Set<string>): void {
  const { name, kind, better, cells } = record(value, '');
  const label = text(name, 'name');
  if (names.has(label)) wrong('name', 'named once in a window', name);
  names.add(label);
  if (kind !== 'ratio' && kind !== 'mean') wrong('kind', 'ratio or mean', kind);
  if (better !== 'higher' && better !== 'lower') wrong('better', 'higher or lower', better);
  const nodes = { canary: new Set<string>(), baseline: new Set<string>() };
  each(list(cells, 'cells'), 'cells', (item) => {
    const { node, arm, numerator, denominator } = record(item, '');
    const label = text(node, 'node');
    if (arm !== 'canary' && arm !== 'baseline') wrong('arm', 'a known arm', arm);
    if (nodes[arm].has(label)) wrong('', 'the only cell of its node and arm', `${label}, ${arm}`);
    nodes[arm].add(label);
    if (kind === 'ratio') count(numerator, 'numerator');
    else amount(numerator, 'numerator');
    count(denominator, 'denominator');
  });
}
