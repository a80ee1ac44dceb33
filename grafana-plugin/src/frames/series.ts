// Grafana's frames in; plain series, and the moments that several of them share, out.
import type { DataFrame, Field, FieldType } from '@grafana/data';

export type Labels = Readonly<Record<string, string>>;

/** Numbers over time (Unix seconds); anything that is no finite number means that nothing was seen. */
export interface Series {
  readonly labels: Labels;
  readonly times: readonly number[];
  readonly values: ArrayLike<unknown>;
}

/** Returns the moments (Unix seconds) of a column of ms: the same list for the same moments. */
export type Clock = (column: readonly number[]) => readonly number[];

/** Returns a clock. The answers of a panel share their moments, most often: they are converted once. */
export function createClock(): Clock {
  let known: readonly number[] = [];
  let moments: readonly number[] = [];
  return (column) => {
    if (!isSame(known, column)) {
      known = column;
      moments = Array.from(column, (ms) => ms / 1000);
    }
    return moments;
  };
}

/** Returns every numeric field as a series: one a frame as Prometheus answers, or many in a wide frame. */
export function seriesOf(frames: readonly DataFrame[], clock: Clock): readonly Series[] {
  const series: Series[] = [];
  for (const { fields } of frames) {
    const time = fields.find(isTime);
    if (!time) continue;
    const times = clock(time.values as number[]);
    for (const { type, labels = noLabels, values } of fields) {
      if (isType(type, 'number')) series.push({ labels, times, values });
    }
  }
  return series;
}

const noLabels: Labels = {};

function isTime({ type }: Field): boolean {
  return isType(type, 'time');
}

/** Returns the moments at which any of the series has a point, in order. */
export function timesOf(series: readonly Series[]): readonly number[] {
  const lists = new Set<readonly number[]>();
  for (const { times } of series) lists.add(times);
  if (lists.size === 1) return [...lists][0] ?? [];
  return [...new Set([...lists].flat())].sort((a, b) => a - b);
}

/** Returns the moments that are in both. */
export function sharedTimes(a: readonly number[], b: readonly number[]): readonly number[] {
  if (isSame(a, b)) return a;
  const inB = new Set(b);
  return a.filter((time) => inB.has(time));
}

/** The usual distance of moments, in seconds: the smallest. */
export function stepOf(times: readonly number[]): number {
  let step = Infinity;
  for (let i = 1; i < times.length; i++) step = Math.min(step, (times[i] ?? 0) - (times[i - 1] ?? 0));
  return step;
}

/** Puts the values of a series at `times` into `row` from `start` on; NaN where it has none. */
export function copyValues(
  { times: own, values }: Series,
  times: readonly number[],
  row: Float64Array,
  start = 0,
): void {
  if (isSame(own, times) && isDense(values) && values.length === times.length) {
    row.set(values, start);
    return;
  }
  for (const [i, index] of indicesOf(own, times).entries()) {
    const value = values[index];
    row[start + i] = typeof value === 'number' ? value : NaN;
  }
}

/** Memory for so many numbers, which is the same each time: what was there before is overwritten. */
export type Scratch = (length: number) => Float64Array;

/**
 * Returns memory that is kept from refresh to refresh. In a virtual machine a page that is new to the process takes
 * 3 µs, ten times as long as filling it.
 */
export function createScratch(): Scratch {
  let numbers = new Float64Array();
  return (length) => {
    if (numbers.length < length) numbers = new Float64Array(length);
    return numbers.subarray(0, length);
  };
}

/** Returns a column as numbers; NaN where it has none. */
export function numbersOf(column: ArrayLike<unknown>, scratch: Scratch): Float64Array {
  const numbers = scratch(column.length);
  if (isDense(column)) numbers.set(column);
  else {
    for (let i = 0; i < column.length; i++) {
      const value = column[i];
      numbers[i] = typeof value === 'number' ? value : NaN;
    }
  }
  return numbers;
}

/** Returns where each of `times` is in `own`; -1 where it is not. */
export function indicesOf(own: readonly number[], times: readonly number[]): readonly number[] {
  if (own === times) return times.map((_, i) => i);
  const indexByTime = new Map(own.map((time, i) => [time, i]));
  return times.map((time) => indexByTime.get(time) ?? -1);
}

/**
 * Whether an array can be copied whole, as Grafana's can where no number is null. V8 makes arrays that one loop meets
 * alike, and where one of them holds a null, it gives each number of all others an object of its own, which takes
 * longer than all that is done with them.
 */
function isDense(values: ArrayLike<unknown>): values is ArrayLike<number> {
  return values instanceof Float64Array || (Array.isArray(values) && !values.includes(null));
}

/** The enum itself would bring Grafana into code that runs without it. */
function isType(type: FieldType, name: `${FieldType}`): boolean {
  return (type as string) === name;
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
