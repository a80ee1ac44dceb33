// Frames of native histograms in, a row for each bucket of each moment; a series for each bucket out.
import type { DataFrame } from '@grafana/data';
import type { Bucket } from './buckets.ts';
import { isSame } from './series.ts';

/** Index of the bucket around zero, in whatever schema. */
export const zeroBucket = -Infinity;

/** Whether a frame is a native histogram. */
export function isNative({ meta }: DataFrame): boolean {
  return meta?.type === ('heatmap-cells' as never);
}

/** Returns the buckets of all frames. */
export function nativeSeries(frames: readonly DataFrame[]): readonly Bucket[] {
  let shared: readonly number[] = [];
  return frames.flatMap(({ fields }) => {
    const column = (name: string): readonly unknown[] =>
      fields.find((field) => field.name === name)?.values ?? [];
    const labels = fields.find((field) => field.labels && Object.keys(field.labels).length > 0)?.labels ?? {};
    const ends = column('xMax');
    const moments = momentsOf(ends);
    // Most frames have the same moments; whoever compares them sees so at once.
    if (!isSame(shared, moments)) shared = moments;
    return bucketsOf(ends, column('yMin'), column('yMax'), column('count'), shared).map(
      ({ lower, upper, values }): Bucket => ({
        ...{ labels, times: shared, values },
        bound: upper,
        native: nativeIndex(lower, upper),
      }),
    );
  });
}

function momentsOf(ends: readonly unknown[]): readonly number[] {
  const moments: number[] = [];
  let last: unknown;
  for (const end of ends) {
    if (end === last) continue;
    last = end;
    moments.push(Number(end) / 1000);
  }
  return moments;
}

interface Column {
  readonly lower: number;
  readonly upper: number;
  /** By moment; NaN where the bucket is not there. */
  readonly values: Float64Array;
}

function bucketsOf(
  ends: readonly unknown[],
  lower: readonly unknown[],
  upper: readonly unknown[],
  amount: readonly unknown[],
  moments: readonly number[],
): readonly Column[] {
  const columns: Column[] = [];
  const placeByUpper = new Map<number, number>();
  let moment = -1;
  let place = -1;
  let last: unknown;
  for (let row = 0; row < ends.length; row++) {
    if (ends[row] !== last) {
      last = ends[row];
      moment += 1;
      place = -1;
    }
    const bound = Number(upper[row]);
    // Buckets come in the same order at each moment: the next one is most often the next.
    place += 1;
    if (columns[place]?.upper !== bound) {
      const known = placeByUpper.get(bound);
      place = known ?? columns.length;
      if (known === undefined) {
        placeByUpper.set(bound, place);
        columns.push({
          lower: Number(lower[row]),
          upper: bound,
          values: new Float64Array(moments.length).fill(NaN),
        });
      }
    }
    const column = columns[place];
    if (column) column.values[moment] = Number(amount[row]);
  }
  return columns;
}

function nativeIndex(lower: number, upper: number): { readonly schema: number; readonly index: number } {
  if (!(lower > 0)) return { schema: Infinity, index: zeroBucket };
  const schema = Math.round(-Math.log2(Math.log2(upper / lower)));
  return { schema, index: Math.round(Math.log2(upper) * 2 ** schema) };
}
