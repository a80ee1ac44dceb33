// A number of runs in; bias and spread of two matched estimators of a thin canary's p99, identical code, out.
import { layoutOf } from '../src/buckets.ts';
import { addCounts, emptyHistogram, quantile } from '../src/histogram.ts';
import type { Histogram } from '../src/histogram.ts';
import { emptyPairs, fillPairs } from '../src/matching.ts';
import { emptyRoster, membersOf } from '../src/roster.ts';
import type { Cell } from '../src/types.ts';
import { families, simulatedSchema, tabulate } from './families.ts';
import type { BucketTable } from './families.ts';
import { createRng } from './rng.ts';
import type { Rng } from './rng.ts';

const nodes = 20;
const layout = layoutOf({ schema: simulatedSchema });

/**
 * Returns a table: 100 canary and 1900 baseline requests on each of 20 nodes that differ by 10 %. The estimators are
 * the difference of overlap-weighted quantiles, and the weighted mean of differences node by node.
 */
export function estimators(runs: number): string {
  const rng = createRng(3);
  const rows = Object.entries(families).map(([family, cdf]) => {
    const table = tabulate(cdf);
    const pairs = Array.from({ length: runs }, () => bothEstimates(drawCells(table, rng)));
    const columns = [pairs.map(({ overlap }) => overlap), pairs.map(({ byNode }) => byNode)].flatMap(summary);
    return `| ${[family, ...columns].join(' | ')} |`;
  });
  return [
    '',
    '| thin canary: error of the log p99 | overlap: bias | spread | node by node: bias | spread |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function bothEstimates(cells: readonly Cell[]): { readonly overlap: number; readonly byNode: number } {
  const pairs = emptyPairs();
  fillPairs(pairs, membersOf(emptyRoster(), cells));
  let sum = 0;
  let weights = 0;
  for (let node = 0; node < nodes; node++) {
    const [canary, baseline] = cells.filter((cell) => cell.node === `n${node}`).map(histogramOf);
    if (!canary || !baseline) continue;
    const weight = (canary.total * baseline.total) / (canary.total + baseline.total);
    sum += weight * difference(canary, baseline);
    weights += weight;
  }
  return { overlap: difference(pairs.matched.canary, pairs.matched.baseline), byNode: sum / weights };
}

function drawCells(table: BucketTable, rng: Rng): readonly Cell[] {
  return Array.from({ length: nodes }, (_, node) => {
    const probabilities = [...table.probabilities(0.1 * rng.normal())];
    return (
      [
        ['canary', 100],
        ['baseline', 1900],
      ] as const
    ).map(([arm, mean]): Cell => {
      const counts = probabilities.map((p) => rng.poisson(p * mean));
      const requests = counts.reduce((total, count) => total + count, 0);
      return { node: `n${node}`, arm, requests, errors: 0, durations: { offset: table.offset, counts } };
    });
  }).flat();
}

function histogramOf({ durations }: Cell): Histogram {
  const histogram = emptyHistogram();
  if (durations) addCounts(histogram, durations);
  return histogram;
}

function difference(canary: Histogram, baseline: Histogram): number {
  return (quantile(canary, layout, 0.99)?.ln ?? NaN) - (quantile(baseline, layout, 0.99)?.ln ?? NaN);
}

function summary(values: readonly number[]): readonly string[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return [mean, Math.sqrt(variance)].map((value) => `${(100 * value).toFixed(1)} %`);
}
