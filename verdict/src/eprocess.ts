// Strata of events and trials, window after window, in; one e-process for "the canary has more of them" out.
import type { Strata } from './exposures.ts';

/** What is tested: ratios of the canary's rate that would be worse, against the largest that would not. */
export interface Hypotheses {
  readonly ratios: readonly number[];
  readonly nullRatio: number;
}

/** Running likelihoods since one starting point. */
export interface EProcess {
  /** Log likelihoods by ratio (the null's first) and node effect. */
  readonly joint: Float64Array;
  /** Log likelihood ratios from the split between canary and baseline of the same node alone. */
  readonly withinNode: Float64Array;
  canaryEvents: number;
  /** Windows in which the canary had events. */
  canaryWindows: number;
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
const lnEffects = nodeEffects.map(Math.log);
/** Prior weight of "the nodes themselves differ". */
const nodeDoubt = 0.05;
/** Too many events in fewer windows than this may be a single incident … */
const fewestWindows = 4;
/** … unless there are this many of them. */
const manyEvents = 30;
/** Evidence from the same nodes that a failure needs where such evidence can be had. */
const corroboration = 5;

/** Returns the hypotheses "at most `margin` worse" and their opposites; with `higher`, worse means fewer events. */
export function hypothesesOf(margin: number, better: 'higher' | 'lower'): Hypotheses {
  return {
    ratios: ratioWeights.map(([ratio]) => (better === 'lower' ? ratio : 1 / ratio)),
    nullRatio: better === 'lower' ? 1 + margin : 1 - Math.min(margin, 0.5),
  };
}

/** Returns a process that has seen nothing. */
export function emptyProcess(): EProcess {
  return {
    joint: new Float64Array((ratioWeights.length + 1) * nodeEffects.length),
    withinNode: new Float64Array(ratioWeights.length),
    canaryEvents: 0,
    canaryWindows: 0,
  };
}

/**
 * Adds one window to every process. Given how many events happened, where they fell is multinomial: each share is
 * proportional to trials × (ratio, on the canary) × (node effect, on nodes with a canary and a baseline).
 * Conditioning on the number makes this exact however the rate drifts, and however traffic is split.
 */
export function pushStrata(
  processes: readonly EProcess[],
  { ratios, nullRatio }: Hypotheses,
  strata: Strata,
): void {
  const { shared, canaryShared, baselineShared, canaryAlone, baselineElsewhere } = strata;
  const canaryEvents = canaryShared.events + canaryAlone.events;
  const sharedEvents = canaryShared.events + baselineShared.events;
  const events = sharedEvents + canaryAlone.events + baselineElsewhere.events;
  const baselineTrials = baselineShared.trials + baselineElsewhere.trials;
  const trials = canaryShared.trials + canaryAlone.trials + baselineTrials;
  for (const process of processes) {
    process.canaryEvents += canaryEvents;
    if (canaryEvents > 0) process.canaryWindows += 1;
  }
  if (events === 0 || baselineTrials === 0) return;

  const joint = new Float64Array((ratioWeights.length + 1) * nodeEffects.length);
  for (const [row, ratio] of [nullRatio, ...ratios].entries()) {
    const onShared = ratio * canaryShared.trials + baselineShared.trials;
    const elsewhere = ratio * canaryAlone.trials + baselineElsewhere.trials;
    const lnRatio = canaryEvents * Math.log(ratio);
    for (let column = 0; column < nodeEffects.length; column++) {
      const effect = nodeEffects[column] ?? 1;
      const lnShares = Math.log((effect * onShared + elsewhere) / trials);
      joint[row * nodeEffects.length + column] =
        lnRatio + sharedEvents * (lnEffects[column] ?? 0) - events * lnShares;
    }
  }
  const withinNode = withinNodeLogs(shared, ratios, nullRatio);
  for (const process of processes) {
    addTo(process.joint, joint);
    addTo(process.withinNode, withinNode);
  }
}

function addTo(sums: Float64Array, terms: Float64Array): void {
  for (let i = 0; i < terms.length; i++) sums[i] = (sums[i] ?? 0) + (terms[i] ?? 0);
}

/**
 * The e-value of a process, with every event worth 1/`factor` independent ones. Where `matched`, the split within
 * nodes, which no node effect can touch, has to point the same way; otherwise the evidence counts as none, and so
 * does that of a single burst.
 */
export function processValue(
  process: EProcess,
  { nullRatio }: Hypotheses,
  factor: number,
  matched: boolean,
): number {
  const columns = nodeEffects.length;
  const rowLog = (row: number): number =>
    logSumExp(nodeWeights.map((log, column) => log + (process.joint[row * columns + column] ?? 0) / factor));
  const alternative = logSumExp(ratioWeights.map(([, weight], i) => Math.log(weight) + rowLog(i + 1)));
  const value = Math.exp(Math.min(alternative - rowLog(0), 700));
  const uncorroborated = matched && withinNodeValue(process, factor) < corroboration;
  const oneIncident =
    nullRatio > 1 && process.canaryWindows < fewestWindows && process.canaryEvents < manyEvents;
  return uncorroborated || oneIncident ? Math.min(value, 1) : value;
}

const nodeWeights = nodeEffects.map((_, column) =>
  Math.log(column === 0 ? 1 - nodeDoubt : nodeDoubt / (nodeEffects.length - 1)),
);

function withinNodeValue({ withinNode }: EProcess, factor: number): number {
  const logs = ratioWeights.map(([, weight], i) => Math.log(weight) + (withinNode[i] ?? 0) / factor);
  return Math.exp(Math.min(logSumExp(logs), 700));
}

/** By ratio, the log likelihood ratio of how each shared node's events fell on its two arms. */
function withinNodeLogs(
  shared: Strata['shared'],
  ratios: readonly number[],
  nullRatio: number,
): Float64Array {
  const logs = new Float64Array(ratios.length);
  const lnRatios = ratios.map((ratio) => Math.log(ratio / nullRatio));
  for (const { canary, baseline } of shared) {
    const events = canary.events + baseline.events;
    if (events === 0) continue;
    const underNull = canary.trials * nullRatio + baseline.trials;
    for (let i = 0; i < ratios.length; i++) {
      const shares = (canary.trials * (ratios[i] ?? 1) + baseline.trials) / underNull;
      logs[i] = (logs[i] ?? 0) + (canary.events * (lnRatios[i] ?? 0) - events * Math.log(shares));
    }
  }
  return logs;
}

function logSumExp(logs: readonly number[]): number {
  const highest = Math.max(...logs);
  return highest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - highest), 0));
}
