// Grafana's frames in; plain series, and the moments that several of them share, out.
import type { DataFrame, Field, FieldType } from '@grafana/data';

export type Labels = Readonly<Record<string, string>>;

/** Numbers over time (Unix seconds); anything that is no finite number means that nothing was seen. */
export interface Series {
  readonly labels: Labels;
  readonly times: readonly number[];
  readonly values: ArrayLike<unknown>;
}

/** Returns every numeric field as a series: one a frame as Prometheus answers, or many in a wide frame. */
export function seriesOf(frames: readonly DataFrame[]): readonly Series[] {
  const series: Series[] = [];
  // The answer to a query shares its moments: most frames have the same ones, which are converted once.
  let shared: { readonly times: readonly number[]; readonly field: Field['values'] } | undefined;
  for (const { fields } of frames) {
    const time = fields.find(({ type }) => isType(type, 'time'));
    if (!time) continue;
    if (!shared || !isSame(shared.field, time.values)) {
      shared = { field: time.values, times: Array.from(time.values as number[], (ms) => ms / 1000) };
    }
    for (const { type, labels = noLabels, values } of fields) {
      if (isType(type, 'number')) series.push({ labels, times: shared.times, values });
    }
  }
  return series;
}

const noLabels: Labels = {};

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

/** Returns the values of a series at `times`; NaN where it has none. */
export function valuesAt({ times: own, values }: Series, times: readonly number[]): ArrayLike<unknown> {
  if (isSame(own, times)) return values;
  const indexByTime = new Map(own.map((time, i) => [time, i]));
  return times.map((time) => values[indexByTime.get(time) ?? -1] ?? NaN);
}

/** The enum itself would bring Grafana into code that runs without it. */
function isType(type: FieldType, name: `${FieldType}`): boolean {
  return (type as string) === name;
}

/** Whether two lists hold the same numbers. */
export function isSame(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
