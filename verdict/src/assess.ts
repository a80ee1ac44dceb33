// A run so far in; its grade and what each metric, the errors and the signals say out. No rule is applied here.
import { proportionBound } from './confidence.ts';
import { evidenceValue, independence, isMatched } from './evidence.ts';
import { findingOf } from './finding.ts';
import type { Finding } from './finding.ts';
import { comparisonOf, gradeOf, isNetKnown, isStarved } from './grade.ts';
import { blockProgress } from './ladder.ts';
import type { Rung } from './ladder.ts';
import { contentionAlike } from './nodes.ts';
import { badArms, retryStorm } from './oncall.ts';
import { alphaWeights, failBlocks, lowestPassTail, passBlocks, patienceSeconds } from './options.ts';
import { signalFinding } from './signals.ts';
import type { SignalFinding } from './signals.ts';
import type { State } from './state.ts';
import { waitsForItself } from './waits.ts';
import type { Grade } from './types.ts';

/** Everything that the rules need to know. */
export interface Assessment {
  readonly grade: Omit<Grade, 'nodes'>;
  /** Whether latency may fail the canary under this grade; `contentionDiffers` says why a measured one may not. */
  readonly mayFail: boolean;
  readonly contentionDiffers: boolean;
  /** Whether durations were compared less the time that went by waiting for a CPU; and if not, whether that was the canary's own doing. */
  readonly net: boolean;
  readonly waitsForItself: boolean;
  /** Whether others leave the canary so little CPU that net durations prove nothing against it. */
  readonly starved: boolean;
  /** Of each quantile, lowest first; undefined before its first blocks. */
  readonly quantiles: readonly (Finding | undefined)[];
  /** The highest quantile that may fail the canary (or the highest with any block) and the median, where that is another. */
  readonly tail: Finding | undefined;
  readonly median: Finding | undefined;
  /** The quantile on which a pass rests, and what is known of it: the highest that traffic allows, or will before long. */
  readonly proof: Finding | undefined;
  readonly proofP: number | undefined;
  /** Whether the best guess for each quantile above that one lies within the margin as well. */
  readonly looksFineAbove: boolean;
  readonly errorValue: number;
  readonly errorLimit: number;
  readonly errorsMatched: boolean;
  readonly bad: { readonly canary: boolean; readonly baseline: boolean };
  readonly storm: boolean;
  readonly signals: readonly SignalFinding[];
}

/** Returns the assessment of a run. */
export function assess(state: State): Assessment {
  const { settings, evidence, onCall, subject } = state;
  const grade = gradeOf(state);
  const rungs = comparisonOf(state, grade.name).rungs;
  const tailIndex = Math.max(
    rungs.findLastIndex(({ effects }) => effects.count >= failBlocks),
    rungs.every(({ effects }) => effects.count < failBlocks)
      ? rungs.findLastIndex(({ effects }) => effects.count > 0)
      : -1,
  );
  const proofIndex = rungs.findLastIndex(
    (rung) => rung.effects.count >= passBlocks || secondsToPass(state, rung) <= patienceSeconds,
  );
  const quantiles = rungFindings(state, grade.name);
  const alike = grade.name === 'measured' ? contentionAlike(state.nodes) : true;
  const alpha = alphaShare(state, 'signal', settings.alpha);
  const net = grade.name === 'measured' || (grade.name === 'matched' && isNetKnown(state));
  return {
    grade,
    mayFail:
      grade.name === 'matched' || grade.name === 'co-tenant' || (grade.name === 'measured' && alike === true),
    contentionDiffers: alike !== true,
    net,
    waitsForItself: waitsForItself(state.waits),
    starved: net && isStarved(state),
    quantiles,
    tail: quantiles[tailIndex],
    median: tailIndex > 0 ? quantiles[0] : undefined,
    proof: quantiles[proofIndex],
    proofP: rungs[proofIndex]?.p,
    looksFineAbove: quantiles
      .slice(proofIndex + 1)
      .every((finding) => !finding || (!finding.suspect && finding.effect < finding.passLn)),
    errorValue: evidenceValue(evidence),
    errorLimit: 1 / alphaShare(state, 'errors', settings.alpha),
    errorsMatched: isMatched(evidence),
    bad: badArms(onCall, subject.windowSeconds),
    storm: retryStorm(onCall),
    signals: [...state.signals.values()].map((signal) =>
      signalFinding(
        signal,
        settings,
        alpha,
        alphaShare(state, 'signal', settings.passAlpha),
        elapsedSeconds(state),
      ),
    ),
  };
}

/** Whether everything speaks for a pass at this look. */
export function isReady(
  state: State,
  { median, proof, proofP, looksFineAbove, signals, storm, bad }: Assessment,
): boolean {
  return (
    proof !== undefined &&
    proofP !== undefined &&
    proofP >= Math.min(lowestPassTail, state.settings.tail) &&
    proof.notInferior &&
    looksFineAbove &&
    (median === undefined || median.notInferior) &&
    signals.every(({ notInferior, worse, forbidden }) => notInferior && !worse && !forbidden) &&
    !storm &&
    !bad.canary &&
    errorUpperDifference(state) < state.settings.errorPassMargin
  );
}

/** Returns what each quantile says under a grade, lowest first. */
export function rungFindings(state: State, grade: Grade['name']): readonly (Finding | undefined)[] {
  return state.raw.map((_, i) => rungFinding(state, grade, i));
}

/** What quantile number `i` says under a grade, at the share of α of the tail or of the median. */
function rungFinding(state: State, grade: Grade['name'], i: number): Finding | undefined {
  const { settings, raw } = state;
  const { rungs, shift, standing } = comparisonOf(state, grade);
  const rung = rungs[i];
  if (!rung || rung.effects.count === 0) return undefined;
  const lnBaseline = lnBaselineOf(rung);
  const rawRung = raw[i];
  const marginLn = (relativeMargin: number, lnLevel: number): number =>
    Math.log1p(Math.max(relativeMargin, settings.marginSeconds / Math.exp(lnLevel)));
  const slot = i === 0 ? 'median' : 'tail';
  return findingOf({
    metric: quantileName(rung.p),
    effects: rung.effects,
    least: rung.least,
    most: rung.most,
    raw: rawRung?.effects,
    segments: rung.segments,
    // The other half is for the segments.
    alpha: alphaShare(state, slot, settings.alpha) / 2,
    passAlpha: alphaShare(state, slot, settings.passAlpha),
    rawFailLn: marginLn(settings.failMargin, rawRung ? lnBaselineOf(rawRung) : lnBaseline),
    failLn: marginLn(settings.failMargin, lnBaseline),
    passLn: marginLn(settings.passMargin, lnBaseline),
    lnBaseline,
    resolution: rung.resolutionSum / rung.effects.count,
    shift,
    standing: (alpha) => standing(alpha, i, rung.p),
    elapsedSeconds: elapsedSeconds(state),
  });
}

/** Mean over blocks of the baseline's quantile, ln seconds. */
function lnBaselineOf({ effects, lnBaselineSum }: Rung): number {
  return lnBaselineSum / effects.count;
}

/**
 * Upper confidence bound of the canary's error ratio less the baseline's, valid at every look: the difference of
 * two beta-binomial confidence sequences, each at half the share of α, on counts worth less when dispersed.
 */
export function errorUpperDifference(state: State): number {
  const { tally } = state.evidence;
  const factor = independence(state.evidence);
  const alpha = alphaShare(state, 'errors', state.settings.passAlpha) / 2;
  return (
    proportionBound('upper', tally.canaryEvents / factor, tally.canaryTrials / factor, alpha) -
    proportionBound('lower', tally.baselineEvents / factor, tally.baselineTrials / factor, alpha)
  );
}

/** Seconds of the run in which there was a canary. */
export function elapsedSeconds({ onCall: { firstCanaryEnd }, lastEnd, subject }: State): number {
  return firstCanaryEnd === undefined || lastEnd === undefined
    ? 0
    : lastEnd - firstCanaryEnd + subject.windowSeconds;
}

/** Seconds until a quantile of `p` or less has blocks enough to pass, at the pace so far; undefined without any pace. */
export function secondsToJudge(state: State, grade: Grade['name'], p: number): number | undefined {
  const rung = comparisonOf(state, grade).rungs.findLast((candidate) => candidate.p <= p);
  const seconds = rung ? secondsToPass(state, rung) - elapsedSeconds(state) : Infinity;
  return seconds < Infinity ? Math.max(0, seconds) : undefined;
}

/** Seconds of canary traffic in which a quantile has blocks enough to pass, at the pace so far. */
function secondsToPass(state: State, { effects, open, p }: Rung): number {
  return (elapsedSeconds(state) * passBlocks) / (effects.count + blockProgress(open, p));
}

/** Returns `p99` for 0.99. */
export function quantileName(p: number): string {
  return `p${String(p).slice(2).padEnd(2, '0')}`;
}

/** α divided over the tail, the median, the errors and each signal. */
function alphaShare({ signals }: State, slot: keyof typeof alphaWeights, alpha: number): number {
  return (alpha * alphaWeights[slot]) / (1 + signals.size * alphaWeights.signal);
}
