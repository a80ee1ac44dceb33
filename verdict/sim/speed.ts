// Nothing in; how long a whole recompute and one push take on this machine, beside the floor of reading the counts, out.
import { createJudge, judge } from '../src/index.ts';
import type { Cell, VerdictInput, Window } from '../src/index.ts';
import { createRng } from './rng.ts';
import { percentile } from './stats.ts';

/**
 * Returns how long 20 nodes × 180 blocks × 160 buckets take at four quantiles, once counts come from JSON and once as typed
 * arrays: the first call, as in a program that judges once; medians, and their ratio to the floor, which other work on the
 * machine slows down alike; and one push.
 */
export function speed(): string {
  const input = largeInput();
  const cold = milliseconds(() => judge(input));
  const growing = createJudge(input);
  const pushes = input.windows.map((window) =>
    milliseconds(() => {
      growing.push(window);
    }),
  );
  const [early, late] = [pushes.slice(30, 60), pushes.slice(150)].map(median);
  return [
    '',
    'whole recompute, 20 nodes × 180 blocks × 160 buckets × 4 quantiles:',
    `  the first call: ${cold.toFixed(0)} ms`,
    wholeLine('counts from JSON', input),
    wholeLine('typed arrays', typed(input)),
    `one push: ${(early ?? 0).toFixed(3)} ms early in the run, ${(late ?? 0).toFixed(3)} ms late`,
  ].join('\n');
}

function wholeLine(name: string, input: VerdictInput): string {
  const whole = medianMs(51, () => judge(input).samples.canary);
  const floor = medianMs(51, () => sumOf(input));
  const ratio = (whole / floor).toFixed(1);
  return `  ${name}: ${whole.toFixed(1)} ms (adding up the same counts once: ${floor.toFixed(1)} ms; ${ratio} times that)`;
}

function typed(input: VerdictInput): VerdictInput {
  const cellOf = (cell: Cell): Cell =>
    cell.durations
      ? { ...cell, durations: { ...cell.durations, counts: Float64Array.from(cell.durations.counts) } }
      : cell;
  return {
    ...input,
    windows: input.windows.map((window) => ({ ...window, cells: window.cells.map(cellOf) })),
  };
}

/** Two versions on each of 20 nodes, 2000 requests a window each, spread over 160 buckets. */
function largeInput(): VerdictInput {
  const rng = createRng(1);
  const counts = (): number[] =>
    Array.from({ length: 160 }, (_, i) => rng.poisson(2000 * 0.02 * Math.exp(-0.5 * ((i - 80) / 20) ** 2)));
  const windows = Array.from({ length: 180 }, (_, w): Window => ({
    end: 1_790_000_000 + 30 * (w + 1),
    cells: Array.from({ length: 20 }, (_, n) => `n${n}`).flatMap((node) =>
      (['canary', 'baseline'] as const).map((arm) => {
        const durations = { offset: -110, counts: counts() };
        const requests = durations.counts.reduce((sum, count) => sum + count, 0);
        return { node, arm, requests, errors: Math.min(requests, rng.poisson(1)), durations };
      }),
    ),
  }));
  return {
    app: 'checkout',
    canary: 'v2',
    baseline: 'v1',
    buckets: { schema: 3 },
    windowSeconds: 30,
    now: windows.at(-1)?.end ?? 0,
    windows,
  };
}

function sumOf({ windows }: VerdictInput): number {
  let sum = 0;
  for (const { cells } of windows) {
    for (const { durations } of cells) {
      for (const count of durations?.counts ?? []) sum += count;
    }
  }
  return sum;
}

function medianMs(times: number, action: () => number): number {
  return median(Array.from({ length: times }, () => milliseconds(action)));
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5) ?? NaN;
}

function milliseconds(action: () => unknown): number {
  const start = performance.now();
  action();
  return performance.now() - start;
}
