// Members in; per node what it carries, how busy it is and how fast the baseline is on it, over the whole run, out.
import type { Layout } from './buckets.ts';
import { contentionSigns } from './contention.ts';
import { addCounts, effectiveSize, emptyHistogram, quantile } from './histogram.ts';
import type { Histogram } from './histogram.ts';
import { blockTail } from './options.ts';
import type { Member } from './roster.ts';
import { studentQuantile } from './special.ts';

/** Run totals of the members of each arm, in the order of first sight; and the same by the member's number. */
export interface Nodes {
  readonly canary: NodeTotals[];
  readonly baseline: NodeTotals[];
  readonly byNumber: (NodeTotals | undefined)[];
}

interface NodeTotals {
  readonly node: string;
  requests: number;
  readonly raw: Histogram;
  readonly net: Histogram;
  readonly contention: number[];
  contentionCells: number;
}

/** Differences below these (seconds, shares) are no contention. */
const unremarkable = [0.0005, 0.01, 0.02];

/** Returns totals of nothing. */
export function emptyNodes(): Nodes {
  return { canary: [], baseline: [], byNumber: [] };
}

/** Adds a window; histograms by node are kept only when `unmatched`, where alone they are needed. */
export function pushNodes(nodes: Nodes, members: readonly Member[], unmatched: boolean): void {
  for (const { arm, node, number, cell } of members) {
    if (arm !== 'canary' && arm !== 'baseline') continue;
    let totals = nodes.byNumber[number];
    if (!totals) nodes[arm].push((totals = nodes.byNumber[number] = emptyTotals(node)));
    const { requests, durations, netDurations, contention } = cell;
    totals.requests += requests;
    if (unmatched && durations) addCounts(totals.raw, durations);
    if (unmatched && netDurations) addCounts(totals.net, netDurations);
    if (!contention) continue;
    totals.contentionCells += 1;
    for (const [i, sign] of contentionSigns.entries()) {
      totals.contention[i] = (totals.contention[i] ?? 0) + (contention[sign] ?? 0);
    }
  }
}

/** Nodes that carry the canary, by name. */
export function canaryNodes({ canary }: Nodes): readonly string[] {
  return canary.flatMap(({ node, requests }) => (requests > 0 ? [node] : [])).sort();
}

/**
 * Whether every sign of contention on the canary's busiest node lies within those of the baseline's nodes;
 * undefined when either has none to show.
 */
export function contentionAlike({ canary, baseline }: Nodes): boolean | undefined {
  const [of, among] = [busiest(canary), busiest(baseline)];
  if (!of || !among) return undefined;
  return of.every((value, i) => value <= Math.max((among[i] ?? 0) * 1.1, unremarkable[i] ?? 0));
}

/**
 * How far two groups of nodes with the same code lie apart by nature, on the log scale at level 1 − α: Student's
 * interval for the difference of group means, with the spread among the baseline's nodes. More time does not shrink
 * it. Undefined with fewer than four such nodes, which cannot show how much nodes differ.
 */
export function nodeSpread(
  { canary, baseline }: Nodes,
  kind: 'raw' | 'net',
  p: number,
  alpha: number,
  layout: Layout,
): number | undefined {
  const levels = baseline.flatMap((totals) => {
    const enough = effectiveSize(totals[kind]) * (1 - p) >= blockTail;
    const level = enough ? quantile(totals[kind], layout, p) : undefined;
    return level ? [level] : [];
  });
  if (levels.length < 4 || canary.length === 0) return undefined;
  const mean = levels.reduce((sum, { ln }) => sum + ln, 0) / levels.length;
  const spread = levels.reduce((sum, { ln }) => sum + (ln - mean) ** 2, 0) / (levels.length - 1);
  const noise = levels.reduce((sum, { variance }) => sum + variance, 0) / levels.length;
  const variance = Math.max(0, spread - noise) * (1 / levels.length + 1 / canary.length);
  return studentQuantile(1 - alpha / 2, levels.length - 1) * Math.sqrt(variance);
}

function busiest(nodes: readonly NodeTotals[]): readonly number[] | undefined {
  const seen = nodes.filter(({ contentionCells }) => contentionCells > 0);
  if (seen.length === 0) return undefined;
  return contentionSigns.map((_, i) =>
    Math.max(...seen.map((totals) => (totals.contention[i] ?? 0) / totals.contentionCells)),
  );
}

function emptyTotals(node: string): NodeTotals {
  return {
    node,
    requests: 0,
    raw: emptyHistogram(),
    net: emptyHistogram(),
    contention: contentionSigns.map(() => 0),
    contentionCells: 0,
  };
}
