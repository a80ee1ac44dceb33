// Cells of the whole run in; one row a node, the one that moves the comparison most first, out.
import type { Layout } from '@plumbline/verdict';
import type { ByArm, NodeRow } from './model.ts';
import { secondsAt } from './overlay.ts';
import { addCell, emptySums } from './points.ts';
import type { Sums } from './points.ts';
import type { Run, RunCell } from './run.ts';
import { schedDelayShare } from './signals.ts';

/** Returns the nodes of either arm, with the difference of quantile `p` on each alone. */
export function nodeRows(run: Run, baseline: Sums, layout: Layout, p: number): readonly NodeRow[] {
  const everywhere = secondsAt(baseline.durations, layout, p);
  const rows = [...sumsByNode(run)].map(([node, sums]) => rowOf(run, node, sums, everywhere, layout, p));
  const all = rows.reduce((sum, { contribution }) => sum + contribution, 0);
  return rows
    .map((row) => ({ ...row, contribution: all > 0 ? row.contribution / all : 0 }))
    .sort(
      (a, b) =>
        b.contribution - a.contribution ||
        b.requests.canary - a.requests.canary ||
        b.requests.baseline - a.requests.baseline ||
        a.node.localeCompare(b.node),
    );
}

function rowOf(
  run: Run,
  node: string,
  { canary, baseline, signs, stealShare }: NodeSums,
  everywhere: number | null,
  layout: Layout,
  p: number,
): NodeRow {
  const canarySeconds = secondsAt(canary.durations, layout, p);
  return {
    node,
    requests: { canary: canary.requests, baseline: baseline.requests },
    delta: differenceOf(canarySeconds, secondsAt(baseline.durations, layout, p)),
    contribution: Math.max(0, differenceOf(canarySeconds, everywhere) ?? 0) * canary.requests,
    schedDelayShare: {
      canary: schedDelayShare(canary, layout),
      baseline: schedDelayShare(baseline, layout),
    },
    runqueueP95Seconds: signs.runqueueP95Seconds.mean(),
    throttledShare: signs.throttledShare.mean(),
    stealShare: { canary: stealShare.canary.mean(), baseline: stealShare.baseline.mean() },
    cpuPressureShare: signs.cpuPressureShare.mean(),
    blame: blameOf(run, node),
  };
}

interface NodeSums extends ByArm<Sums> {
  readonly signs: Record<Sign, Mean>;
  /** By arm: each may be pinned to CPUs of its own. */
  readonly stealShare: ByArm<Mean>;
}

type Sign = 'runqueueP95Seconds' | 'throttledShare' | 'cpuPressureShare';
const signNames: readonly Sign[] = ['runqueueP95Seconds', 'throttledShare', 'cpuPressureShare'];

function sumsByNode({ windows }: Run): ReadonlyMap<string, NodeSums> {
  const byNode = new Map<string, NodeSums>();
  for (const { cells } of windows) {
    for (const cell of cells) {
      if (cell.arm !== 'canary' && cell.arm !== 'baseline') continue;
      const sums = byNode.get(cell.node) ?? emptyNode();
      byNode.set(cell.node, sums);
      addCell(sums[cell.arm], cell);
      addSigns(sums, cell);
      if (cell.contention?.stealShare !== undefined)
        sums.stealShare[cell.arm].add(cell.contention.stealShare);
    }
  }
  return byNode;
}

function addSigns({ signs }: NodeSums, { contention }: RunCell): void {
  if (!contention) return;
  for (const sign of signNames) {
    const value = contention[sign];
    if (value !== undefined) signs[sign].add(value);
  }
}

function blameOf({ blame }: Run, node: string): NodeRow['blame'] {
  const secondsByCulprit = new Map<string, number>();
  for (const entry of blame) {
    if (entry.node !== node || entry.seconds <= 0) continue;
    secondsByCulprit.set(entry.culprit, (secondsByCulprit.get(entry.culprit) ?? 0) + entry.seconds);
  }
  return [...secondsByCulprit]
    .map(([culprit, seconds]) => ({ culprit, seconds }))
    .sort((a, b) => b.seconds - a.seconds);
}

function emptyNode(): NodeSums {
  return {
    canary: emptySums(),
    baseline: emptySums(),
    signs: { runqueueP95Seconds: mean(), throttledShare: mean(), cpuPressureShare: mean() },
    stealShare: { canary: mean(), baseline: mean() },
  };
}

interface Mean {
  readonly add: (value: number) => void;
  readonly mean: () => number | null;
}

function mean(): Mean {
  let sum = 0;
  let count = 0;
  return {
    add: (value) => {
      sum += value;
      count += 1;
    },
    mean: () => (count > 0 ? sum / count : null),
  };
}

function differenceOf(canary: number | null, baseline: number | null): number | null {
  return canary !== null && baseline !== null && baseline > 0 ? canary / baseline - 1 : null;
}
