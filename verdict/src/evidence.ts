// Events and trials by node and arm, window after window, in; the evidence that the canary has more of them out.
import { addToDispersion, dispersionFactor, emptyDispersion } from './dispersion.ts';
import type { Dispersion } from './dispersion.ts';
import { addToTally, emptyTally, strataOf, sumOf } from './exposures.ts';
import type { Count, Exposure, Tally } from './exposures.ts';

/** Running evidence about the ratio of the canary's event rate to the baseline's. */
export interface Evidence {
  readonly ratios: readonly number[];
  readonly nullRatio: number;
  /** Log likelihoods by ratio (the null's first) and node effect. */
  readonly joint: Float64Array;
  /** Log likelihood ratios from the split between canary and baseline of the same node alone. */
  readonly withinNode: Float64Array;
  readonly tally: Tally;
  /** Windows in which the canary had events. */
  canaryWindows: number;
  readonly dispersion: { readonly canary: Dispersion; readonly baseline: Dispersion };
}

/**
 * How much worse a canary may be, with prior weights: mixed over, because the true ratio is not known beforehand.
 * The middle has most; what is hardly worse takes a long run anyway, and can pay for its small weight with it.
 */
const ratioWeights = [
  [1.25, 0.04],
  [1.5, 0.06],
  [2, 0.15],
  [3, 0.2],
  [5, 0.25],
  [10, 0.2],
  [20, 0.1],
] as const;
/** How much more (or less) often an event may happen on the canary's nodes whatever runs there. */
const nodeEffects = [1, 1 / 20, 1 / 5, 1 / 2, 2, 5, 20];
/** Prior weight of "the nodes themselves differ". */
const nodeDoubt = 0.05;
/** Too many events in fewer windows than this may be a single incident … */
const fewestWindows = 4;
/** … unless there are this many of them. */
const manyEvents = 30;
/** Evidence from the same nodes that a failure needs where such evidence can be had. */
const corroboration = 3;

/** Returns evidence against "at most `margin` worse"; with `higher`, worse means fewer events. */
export function emptyEvidence(margin: number, better: 'higher' | 'lower' = 'lower'): Evidence {
  const worse = ratioWeights.map(([ratio]) => (better === 'lower' ? ratio : 1 / ratio));
  return {
    ratios: worse,
    nullRatio: better === 'lower' ? 1 + margin : 1 - Math.min(margin, 0.5),
    joint: new Float64Array((worse.length + 1) * nodeEffects.length),
    withinNode: new Float64Array(worse.length),
    tally: emptyTally(),
    canaryWindows: 0,
    dispersion: { canary: emptyDispersion(), baseline: emptyDispersion() },
  };
}

/**
 * Adds one window. Given how many events happened, where they fell is multinomial: each share is proportional to
 * trials × (ratio, on the canary) × (node effect, on nodes with a canary and a baseline). Conditioning on the
 * number makes this exact however the rate drifts, and however traffic is split.
 */
export function pushExposures(evidence: Evidence, exposures: readonly Exposure[]): void {
  const strata = strataOf(exposures);
  const { shared, canaryAlone, baselineElsewhere } = strata;
  const canaryShared = sumOf(shared.map(({ canary }) => canary));
  const baselineShared = sumOf(shared.map(({ baseline }) => baseline));
  addToTally(evidence.tally, strata);
  const all = {
    canary: sumOf([canaryShared, canaryAlone]),
    baseline: sumOf([baselineShared, baselineElsewhere]),
  };
  addToDispersion(evidence.dispersion.canary, all.canary.events, all.canary.trials);
  addToDispersion(evidence.dispersion.baseline, all.baseline.events, all.baseline.trials);
  if (all.canary.events > 0) evidence.canaryWindows += 1;
  const events = all.canary.events + all.baseline.events;
  if (events === 0 || all.baseline.trials === 0) return;

  [evidence.nullRatio, ...evidence.ratios].forEach((ratio, row) => {
    nodeEffects.forEach((effect, column) => {
      const weighted =
        effect * (ratio * canaryShared.trials + baselineShared.trials) +
        ratio * canaryAlone.trials +
        baselineElsewhere.trials;
      const cell = row * nodeEffects.length + column;
      evidence.joint[cell] =
        (evidence.joint[cell] ?? 0) +
        all.canary.events * Math.log(ratio) +
        (canaryShared.events + baselineShared.events) * Math.log(effect) -
        events * Math.log(weighted / (all.canary.trials + all.baseline.trials));
    });
  });
  for (const { canary, baseline } of shared) addWithinNode(evidence, canary, baseline);
}

/**
 * The e-value against "no worse than the margin": under that hypothesis it ever reaches 1/α with probability at
 * most α (Ville), as long as node effects are as rare as the prior says. Where most canary traffic has a baseline
 * on its own node, the split within nodes, which no node effect can touch, has to point the same way; otherwise
 * the evidence counts as none. Over-dispersed events, such as bursts of retries, are worth less by their factor,
 * and a single burst is no evidence yet.
 */
export function evidenceValue(evidence: Evidence): number {
  const factor = independence(evidence);
  const columns = nodeEffects.length;
  const rows = nodeEffects.map((_, column) =>
    Math.log(column === 0 ? 1 - nodeDoubt : nodeDoubt / (columns - 1)),
  );
  const rowLog = (row: number): number =>
    logSumExp(rows.map((prior, column) => prior + (evidence.joint[row * columns + column] ?? 0) / factor));
  const alternative =
    logSumExp(evidence.ratios.map((_, i) => rowLog(i + 1))) - Math.log(evidence.ratios.length);
  const value = Math.exp(Math.min(alternative - rowLog(0), 700));
  const uncorroborated = isMatched(evidence) && withinNodeValue(evidence, factor) < corroboration;
  return uncorroborated || isOneIncident(evidence) ? Math.min(value, 1) : value;
}

/** Events of either arm that are worth one independent event. */
export function independence({ dispersion: { canary, baseline } }: Evidence): number {
  return dispersionFactor([canary, baseline]);
}

/** Whether at least half of the canary's trials happened beside a baseline on the same node. */
export function isMatched({ tally }: Evidence): boolean {
  return tally.canaryTrials > 0 && tally.matchedCanaryTrials >= tally.canaryTrials / 2;
}

function isOneIncident({ nullRatio, canaryWindows, tally }: Evidence): boolean {
  return nullRatio > 1 && canaryWindows < fewestWindows && tally.canaryEvents < manyEvents;
}

function withinNodeValue({ withinNode }: Evidence, factor: number): number {
  const logs = ratioWeights.map(([, weight], i) => Math.log(weight) + (withinNode[i] ?? 0) / factor);
  return Math.exp(Math.min(logSumExp(logs), 700));
}

function addWithinNode(evidence: Evidence, canary: Count, baseline: Count): void {
  const events = canary.events + baseline.events;
  if (events === 0) return;
  evidence.ratios.forEach((ratio, i) => {
    evidence.withinNode[i] =
      (evidence.withinNode[i] ?? 0) +
      canary.events * Math.log(ratio / evidence.nullRatio) -
      events *
        Math.log(
          (canary.trials * ratio + baseline.trials) / (canary.trials * evidence.nullRatio + baseline.trials),
        );
  });
}

function logSumExp(logs: readonly number[]): number {
  const highest = Math.max(...logs);
  return highest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - highest), 0));
}
