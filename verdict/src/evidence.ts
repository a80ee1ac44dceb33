// Events and trials by node and arm, window after window, in; the evidence that the canary has more of them out.
import { addToDispersion, dispersionFactor, emptyDispersion } from './dispersion.ts';
import type { Dispersion } from './dispersion.ts';
import { emptyProcess, hypothesesOf, processValue, pushStrata } from './eprocess.ts';
import type { EProcess, Hypotheses } from './eprocess.ts';
import { addToTally, emptyTally, strataOf } from './exposures.ts';
import type { Exposure, Strata, Tally } from './exposures.ts';

/** Running evidence about the ratio of the canary's event rate to the baseline's. */
export interface Evidence {
  readonly hypotheses: Hypotheses;
  readonly whole: EProcess;
  /** The newest fresh starts: an hour of health must not outweigh a minute of failure. */
  readonly segments: { readonly order: number; readonly process: EProcess }[];
  readonly tally: Tally;
  readonly dispersion: { readonly canary: Dispersion; readonly baseline: Dispersion };
  /** Seconds since the last fresh start, and number of starts. */
  sinceStart: number;
  starts: number;
}

/** A segment begins every five minutes and lives for ten. */
const segmentSeconds = 300;
const liveSegments = 2;
/** What the segments together may stake; the k-th stakes 1/(k(k+1)) of it. */
const segmentStake = 0.1;

/** Returns evidence against "at most `margin` worse"; with `higher`, worse means fewer events. */
export function emptyEvidence(margin: number, better: 'higher' | 'lower' = 'lower'): Evidence {
  return {
    hypotheses: hypothesesOf(margin, better),
    whole: emptyProcess(),
    segments: [],
    tally: emptyTally(),
    dispersion: { canary: emptyDispersion(), baseline: emptyDispersion() },
    sinceStart: 0,
    starts: 0,
  };
}

/** Adds one window of `windowSeconds`. */
export function pushExposures(
  evidence: Evidence,
  exposures: readonly Exposure[],
  windowSeconds: number,
): void {
  pushEvents(evidence, strataOf(exposures), windowSeconds);
}

/** Adds one window of `windowSeconds` whose strata are known. */
export function pushEvents(evidence: Evidence, strata: Strata, windowSeconds: number): void {
  const { canaryShared, baselineShared, canaryAlone, baselineElsewhere } = strata;
  addToTally(evidence.tally, strata);
  addToDispersion(
    evidence.dispersion.canary,
    canaryShared.events + canaryAlone.events,
    canaryShared.trials + canaryAlone.trials,
  );
  addToDispersion(
    evidence.dispersion.baseline,
    baselineShared.events + baselineElsewhere.events,
    baselineShared.trials + baselineElsewhere.trials,
  );

  if (evidence.sinceStart >= segmentSeconds) {
    evidence.sinceStart = 0;
    evidence.starts += 1;
    evidence.segments.push({ order: evidence.starts, process: emptyProcess() });
    if (evidence.segments.length > liveSegments) evidence.segments.shift();
  }
  evidence.sinceStart += windowSeconds;
  const processes = [evidence.whole, ...evidence.segments.map(({ process }) => process)];
  pushStrata(processes, evidence.hypotheses, strata);
}

/**
 * The e-value against "no worse than the margin": under that hypothesis it ever reaches 1/α with probability at
 * most α (Ville), as long as node effects are as rare as their prior says. It is a mixture over starting points, so
 * what happened before a change cannot bury what came after; over-dispersed events, such as bursts of retries, are
 * worth less by their factor.
 */
export function evidenceValue(evidence: Evidence): number {
  const factor = independence(evidence);
  const matched = isMatched(evidence);
  const valueOf = (process: EProcess): number => processValue(process, evidence.hypotheses, factor, matched);
  return evidence.segments.reduce(
    (sum, { order, process }) => sum + (segmentStake / (order * (order + 1))) * valueOf(process),
    // The stakes of segments yet to come still lie on the table: Σ 1/(k(k+1)) from k on is 1/k.
    (1 - segmentStake) * valueOf(evidence.whole) + segmentStake / (evidence.starts + 1),
  );
}

/** Events of either arm that are worth one independent event. */
export function independence({ dispersion: { canary, baseline } }: Evidence): number {
  return dispersionFactor([canary, baseline]);
}

/** Whether at least half of the canary's trials happened beside a baseline on the same node. */
export function isMatched({ tally }: Evidence): boolean {
  return tally.canaryTrials > 0 && tally.matchedCanaryTrials >= tally.canaryTrials / 2;
}
