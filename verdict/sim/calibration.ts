// A number of runs in; how often intervals miss the truth by then, at few and at many blocks, out.
import { createJudge } from '../src/index.ts';
import { alphaWeights } from '../src/options.ts';
import { createWorld } from './world.ts';
import type { Scenario } from './world.ts';

const checkpoints = [5, 10, 20, 40] as const;

const scenarios: readonly (readonly [string, Scenario])[] = [
  [
    'identical, matched',
    { minutes: 60, windowSeconds: 30, rpsPerPod: 50, canaryNodes: [1, 2], baselineNodes: [1, 2, 3, 4, 5, 6] },
  ],
  [
    'thin canary on six nodes',
    {
      minutes: 60,
      windowSeconds: 30,
      rpsPerPod: 12,
      canaryNodes: [1, 2, 3, 4, 5, 6],
      baselineNodes: [1, 2, 3, 4, 5, 6],
    },
  ],
  [
    'bursty neighbour, matched',
    {
      minutes: 60,
      windowSeconds: 30,
      rpsPerPod: 50,
      canaryNodes: [1, 2],
      baselineNodes: [1, 2, 3, 4, 5, 6],
      neighbour: { nodes: [1, 2], kind: 'tail', effect: 0.5, bursty: true },
    },
  ],
];

/** Returns a table: the share of runs whose p99 interval at level 99 % has missed the true difference by then. */
export function calibration(runs: number): string {
  const rows = scenarios.map(([name, scenario]) => {
    const missedBy = new Map<number, number>();
    let missedEver = 0;
    for (let run = 0; run < runs; run++) {
      const missedAt = firstMiss(scenario, run);
      if (missedAt === undefined) continue;
      missedEver += 1;
      for (const blocks of checkpoints) {
        if (missedAt <= blocks) missedBy.set(blocks, (missedBy.get(blocks) ?? 0) + 1);
      }
    }
    const shares = checkpoints.map((blocks) => percent((missedBy.get(blocks) ?? 0) / runs));
    return `| ${[name, ...shares, percent(missedEver / runs), percent(1 - missedEver / runs)].join(' | ')} |`;
  });
  return [
    '',
    `| 99 % interval of p99 has missed the truth | by 5 blocks | by 10 | by 20 | by 40 | in the whole run | coverage |`,
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** Blocks at which the interval first excluded zero, the true difference of identical code. */
function firstMiss(scenario: Scenario, run: number): number | undefined {
  const { subject, windows } = createWorld(scenario, run);
  // What α has to be for half of the tail's share of it to make an interval of 99 %.
  const judge = createJudge(subject, { alpha: (2 * 0.01) / alphaWeights.tail });
  for (const window of windows) {
    judge.push(window);
    const metric = judge.verdict().metrics.find(({ metric: name }) => name === 'p99');
    if (!metric || metric.blocks < 2 || metric.lower === null || metric.upper === null) continue;
    if (metric.lower > 0 || metric.upper < 0) return metric.blocks;
  }
  return undefined;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
