// Series of the user's own counters in; the judge's signals, window by window, out.
import type { Signal, SignalCell } from '@plumbline/verdict';
import { counted, increasesOf } from './counters.ts';
import type { Increases } from './counters.ts';
import type { SignalPart } from './roles.ts';
import type { Labels, Series } from './series.ts';

/** One query of a signal. */
export interface SignalQuery {
  readonly name: string;
  readonly part: SignalPart;
  readonly series: readonly Series[];
}

/**
 * Returns a function from window to signals; what a signal lacks is told in `remarks`.
 * @throws NoCounterError as `increasesOf`.
 */
export function signalsReader(
  queries: readonly SignalQuery[],
  higherIsBetter: ReadonlySet<string>,
  groupOf: (labels: Labels) => string | undefined,
  times: readonly number[],
  remarks: string[],
): (window: number) => readonly Signal[] {
  const pairs = [...new Set(queries.map(({ name }) => name))].flatMap((name) => {
    const part = (...parts: readonly SignalPart[]): SignalQuery | undefined =>
      queries.find((query) => query.name === name && parts.includes(query.part));
    const [above, below] = [part('events', 'sum'), part('trials', 'count')];
    if (!above || !below || (above.part === 'events') !== (below.part === 'trials')) {
      remarks.push(
        `The signal ${name} needs two queries: "signal ${name} events" and "… trials", or "… sum" and "… count".`,
      );
      return [];
    }
    const isRatio = above.part === 'events';
    const read = ({ series }: SignalQuery, whole: boolean): ReadonlyMap<string, Increases> =>
      increasesOf(series, groupOf, () => '', times, whole);
    return [{ name, isRatio, above: read(above, isRatio), below: read(below, true) }];
  });
  return (window) =>
    pairs.map(({ name, isRatio, above, below }) => ({
      name,
      kind: isRatio ? 'ratio' : 'mean',
      better: higherIsBetter.has(name) ? 'higher' : 'lower',
      cells: cellsOf(above, below, window),
    }));
}

function cellsOf(
  above: ReadonlyMap<string, Increases>,
  below: ReadonlyMap<string, Increases>,
  window: number,
): readonly SignalCell[] {
  return [...below].flatMap(([group, trials]) => {
    const events = above.get(group);
    if (trials.state[window] !== counted || (events && events.state[window] !== counted)) return [];
    const [arm = '', node = ''] = group.split('\0');
    const denominator = trials.byKey.get('')?.[window] ?? 0;
    const numerator = events?.byKey.get('')?.[window] ?? 0;
    return [{ node, arm: arm as SignalCell['arm'], numerator, denominator }];
  });
}
