// Contention and log durations of baseline cells in; the share of a slowdown that contention foretells out.
import type { Layout } from './buckets.ts';
import { contentionSigns } from './contention.ts';
import { meanLn } from './histogram.ts';
import type { Cell } from './types.ts';

/** Sums of a ridge regression, over baseline cells, of mean ln duration on the three signs of contention. */
export interface Covariate {
  cells: number;
  readonly x: number[];
  y: number;
  readonly xx: number[][];
  readonly xy: number[];
  canaryCells: number;
  readonly canaryX: number[];
}

/** Returns a regression on nothing. */
export function emptyCovariate(): Covariate {
  const zeros = (): number[] => contentionSigns.map(() => 0);
  return {
    cells: 0,
    x: zeros(),
    y: 0,
    xx: contentionSigns.map(zeros),
    xy: zeros(),
    canaryCells: 0,
    canaryX: zeros(),
  };
}

/** Adds a window's cells; the baseline teaches the slope, the canary only says how busy its nodes are. */
export function pushCovariate(covariate: Covariate, cells: readonly Cell[], layout: Layout): void {
  for (const { arm, contention, durations } of cells) {
    if (!contention) continue;
    const x = contentionSigns.map((sign) => contention[sign] ?? 0);
    if (arm === 'canary') {
      covariate.canaryCells += 1;
      x.forEach((value, i) => (covariate.canaryX[i] = (covariate.canaryX[i] ?? 0) + value));
    }
    const y = arm === 'baseline' && durations ? meanLn(durations, layout) : undefined;
    if (y === undefined) continue;
    covariate.cells += 1;
    covariate.y += y;
    x.forEach((value, i) => {
      covariate.x[i] = (covariate.x[i] ?? 0) + value;
      covariate.xy[i] = (covariate.xy[i] ?? 0) + value * y;
      const row = covariate.xx[i] ?? [];
      x.forEach((other, k) => (row[k] = (row[k] ?? 0) + value * other));
    });
  }
}

/**
 * The log slowdown that the canary's contention foretells over the baseline's, never below zero; undefined with
 * fewer than 30 baseline cells or no canary cell. It knows only what these three signs show.
 */
export function foretoldSlowdown(covariate: Covariate): number | undefined {
  const { cells, canaryCells, x, y, xx, xy, canaryX } = covariate;
  if (cells < 30 || canaryCells === 0) return undefined;
  const centred = xx.map((row, i) =>
    row.map((sum, k) => sum / cells - ((x[i] ?? 0) * (x[k] ?? 0)) / cells ** 2),
  );
  const target = xy.map((sum, i) => sum / cells - ((x[i] ?? 0) * y) / cells ** 2);
  // A sign that hardly varies among baselines teaches nothing: the ridge holds its slope at zero.
  const ridged = centred.map((row, i) => row.map((value, k) => (i === k ? value * 1.01 + 1e-12 : value)));
  const slopes = solve(ridged, target);
  return Math.max(
    0,
    slopes.reduce(
      (sum, slope, i) => sum + slope * ((canaryX[i] ?? 0) / canaryCells - (x[i] ?? 0) / cells),
      0,
    ),
  );
}

/** Solves a small positive definite system by Gaussian elimination. */
function solve(matrix: readonly (readonly number[])[], target: readonly number[]): readonly number[] {
  const rows = matrix.map((row, i) => [...row, target[i] ?? 0]);
  rows.forEach((pivotRow, pivot) => {
    rows.forEach((row, i) => {
      if (i === pivot) return;
      const factor = (row[pivot] ?? 0) / (pivotRow[pivot] ?? 1);
      row.forEach((value, k) => (row[k] = value - factor * (pivotRow[k] ?? 0)));
    });
  });
  return rows.map((row, i) => (row[rows.length] ?? 0) / (row[i] ?? 1));
}
