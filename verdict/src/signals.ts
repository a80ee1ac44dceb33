// A signal's cells window by window in; its finding, and for ratios its evidence, out.
import { emptyEvidence, evidenceValue, isMatched, pushExposures } from './evidence.ts';
import type { Evidence } from './evidence.ts';
import { findingOf } from './finding.ts';
import type { Finding } from './finding.ts';
import type { Settings } from './options.ts';
import { emptySeries, pushEffect } from './series.ts';
import type { EffectSeries } from './series.ts';
import type { Signal, SignalCell } from './types.ts';

/** One signal so far. */
export interface SignalState {
  readonly name: string;
  readonly kind: Signal['kind'];
  readonly better: Signal['better'];
  /** Events among trials; for a mean, only which trials are matched. */
  readonly evidence: Evidence;
  readonly matched: Comparison;
  readonly raw: Comparison;
}

interface Comparison {
  readonly effects: EffectSeries;
  open: { canary: Sums; baseline: Sums };
}

/** Weighted numerator and denominator, and the plain counts that say when they mean something. */
interface Sums {
  readonly numerator: number;
  readonly denominator: number;
  readonly events: number;
  readonly trials: number;
}

/** What a signal says. */
export interface SignalFinding {
  readonly name: string;
  readonly finding: Finding | undefined;
  /** e-value against "no worse than the margin"; undefined for means. */
  readonly evidence: number | undefined;
  readonly worse: boolean;
  /** Worse by its interval, but without baselines on the canary's nodes. */
  readonly forbidden: boolean;
  readonly notInferior: boolean;
}

const nothing: Sums = { numerator: 0, denominator: 0, events: 0, trials: 0 };
const fewestEvents = 20;
const fewestTrials = 40;

/** Returns a signal without data. */
export function emptySignal({ name, kind, better }: Signal, settings: Settings): SignalState {
  const comparison = (): Comparison => ({
    effects: emptySeries(),
    open: { canary: nothing, baseline: nothing },
  });
  return {
    name,
    kind,
    better,
    evidence: emptyEvidence(settings.failMargin, better),
    matched: comparison(),
    raw: comparison(),
  };
}

/** Adds a window of `windowSeconds`. */
export function pushSignal(state: SignalState, cells: readonly SignalCell[], windowSeconds: number): void {
  pushExposures(
    state.evidence,
    cells.map(({ node, arm, numerator, denominator }) => ({
      node,
      arm,
      events: state.kind === 'ratio' ? numerator : 0,
      trials: denominator,
    })),
    windowSeconds,
  );
  pushComparison(state, state.raw, cells, () => 1);
  pushComparison(state, state.matched, cells, (cell) => {
    const beside = cells.find(({ node, arm }) => node === cell.node && arm !== cell.arm)?.denominator ?? 0;
    return beside > 0 ? beside / (beside + cell.denominator) : 0;
  });
}

/** Returns what the signal says at its share of α. */
export function signalFinding(
  state: SignalState,
  settings: Settings,
  alpha: number,
  passAlpha: number,
  elapsedSeconds: number,
): SignalFinding {
  const matched = isMatched(state.evidence);
  const finding = findingOf({
    metric: state.name,
    effects: (matched ? state.matched : state.raw).effects,
    raw: matched ? state.raw.effects : undefined,
    alpha,
    passAlpha,
    failLn: Math.log1p(settings.failMargin),
    passLn: Math.log1p(settings.passMargin),
    elapsedSeconds,
  });
  const evidence = state.kind === 'ratio' ? evidenceValue(state.evidence) : undefined;
  const meanWorse = state.kind === 'mean' && finding !== undefined && finding.worse && !finding.healed;
  return {
    name: state.name,
    finding,
    evidence,
    worse: evidence === undefined ? meanWorse && matched : evidence >= 1 / alpha,
    forbidden: meanWorse && !matched,
    notInferior: finding?.notInferior ?? false,
  };
}

/** Adds a window to a comparison; with 20 events (or, for a mean, 40 trials) in both arms it makes a block. */
function pushComparison(
  { kind, better }: SignalState,
  comparison: Comparison,
  cells: readonly SignalCell[],
  weightOf: (cell: SignalCell) => number,
): void {
  const grown = { ...comparison.open };
  for (const cell of cells) {
    const weight = weightOf(cell);
    if (weight === 0) continue;
    const sums = grown[cell.arm];
    grown[cell.arm] = {
      numerator: sums.numerator + weight * cell.numerator,
      denominator: sums.denominator + weight * cell.denominator,
      events: sums.events + cell.numerator,
      trials: sums.trials + cell.denominator,
    };
  }
  comparison.open = grown;
  const { canary, baseline } = grown;
  const full =
    kind === 'ratio'
      ? Math.min(canary.events, baseline.events) >= fewestEvents
      : Math.min(canary.trials, baseline.trials) >= fewestTrials;
  if (!full) return;
  comparison.open = { canary: nothing, baseline: nothing };
  const difference = Math.log(
    canary.numerator / canary.denominator / (baseline.numerator / baseline.denominator),
  );
  if (!Number.isFinite(difference)) return;
  const sampling = kind === 'ratio' ? 1 / canary.events + 1 / baseline.events : 0;
  pushEffect(comparison.effects, better === 'higher' ? -difference : difference, sampling);
}
