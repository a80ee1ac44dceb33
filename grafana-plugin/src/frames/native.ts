// Frames of native histograms in, a row for each bucket of each moment; a series for each bucket out.
import type { DataFrame } from '@grafana/data';
import type { Bucket } from './buckets.ts';
import type { Clock } from './series.ts';

/** Index of the bucket around zero, in whatever schema. */
export const zeroBucket = -Infinity;

/** Whether a frame is a native histogram. */
export function isNative({ meta }: DataFrame): boolean {
  return meta?.type === ('heatmap-cells' as never);
}

/** Returns the buckets of all frames. */
export function nativeSeries(frames: readonly DataFrame[], clock: Clock): readonly Bucket[] {
  return frames.flatMap(({ fields }) => {
    const column = (name: string): readonly number[] =>
      (fields.find((field) => field.name === name)?.values ?? []) as readonly number[];
    const labels = fields.find((field) => field.labels && Object.keys(field.labels).length > 0)?.labels ?? {};
    const ends = column('xMax');
    const times = clock(momentsOf(ends));
    return bucketsOf(ends, column('yMin'), column('yMax'), column('count'), times.length).map(
      ({ lower, upper, values }): Bucket => ({
        ...{ labels, times, values },
        bound: upper,
        native: nativeIndex(lower, upper),
      }),
    );
  });
}

/** The moments of the rows, each once. */
function momentsOf(ends: readonly number[]): readonly number[] {
  const moments: number[] = [];
  let last: number | undefined;
  for (const end of ends) {
    if (end === last) continue;
    last = end;
    moments.push(end);
  }
  return moments;
}

interface Column {
  readonly lower: number;
  readonly upper: number;
  /** By moment; a bucket that is not there when its histogram is has counted nothing. */
  readonly values: Float64Array;
}

function bucketsOf(
  ends: readonly number[],
  lower: readonly number[],
  upper: readonly number[],
  amount: readonly number[],
  moments: number,
): readonly Column[] {
  const columns: Column[] = [];
  const uppers: number[] = [];
  const placeByUpper = new Map<number, number>();
  let moment = -1;
  let place = -1;
  let last: number | undefined;
  for (let row = 0; row < ends.length; row++) {
    if (ends[row] !== last) {
      last = ends[row];
      moment += 1;
      place = -1;
    }
    const bound = upper[row] ?? NaN;
    // Buckets come in the same order at each moment: the next one is most often the next.
    place += 1;
    if (uppers[place] !== bound) {
      const known = placeByUpper.get(bound);
      place = known ?? columns.length;
      if (known === undefined) {
        placeByUpper.set(bound, place);
        uppers.push(bound);
        columns.push({ lower: lower[row] ?? NaN, upper: bound, values: new Float64Array(moments) });
      }
    }
    const column = columns[place];
    if (column) column.values[moment] = amount[row] ?? NaN;
  }
  return columns;
}

function nativeIndex(lower: number, upper: number): { readonly schema: number; readonly index: number } {
  if (!(lower > 0)) return { schema: Infinity, index: zeroBucket };
  const schema = Math.round(-Math.log2(Math.log2(upper / lower)));
  return { schema, index: Math.round(Math.log2(upper) * 2 ** schema) };
}
