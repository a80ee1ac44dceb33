// The vocabulary: what a judge is given (windows of counts by node and version) and what it answers (a verdict).

/** Everything a whole-run judgement needs; the JSON that `plumbline verdict FILE` reads. */
export interface VerdictInput extends Subject {
  /** Unix seconds at which the question is asked; never before the last window ends. */
  readonly now: number;
  /** In time order; a gap between two windows is a fact, not an error. */
  readonly windows: readonly Window[];
}

/** What is compared, and how its durations are bucketed. */
export interface Subject {
  readonly app: string;
  readonly canary: string;
  readonly baseline: string;
  readonly buckets: Buckets;
  readonly windowSeconds: number;
}

/**
 * Bucket bounds. With `schema`, bucket i holds (2^((i−1)/2^schema), 2^(i/2^schema)] seconds, as in Prometheus
 * native histograms; with `upperBounds` (seconds, ascending), bucket 0 ends at the first bound and one more
 * count than bounds holds what lies above the last.
 */
export type Buckets = { readonly schema: number } | { readonly upperBounds: readonly number[] };

/** Increases of all counters in the `windowSeconds` that end at `end` (Unix seconds). */
export interface Window {
  readonly end: number;
  readonly cells: readonly Cell[];
  readonly signals?: readonly Signal[];
}

/** `other:<app>` is a co-tenant: another service that shares nodes with the one judged. */
export type Arm = 'canary' | 'baseline' | `other:${string}`;

/** One version on one node in one window. */
export interface Cell {
  readonly node: string;
  readonly arm: Arm;
  readonly requests: number;
  readonly errors: number;
  readonly durations?: BucketCounts;
  /** Durations less the time each request was runnable but not running. */
  readonly netDurations?: BucketCounts;
  readonly schedDelaySeconds?: number;
  /** CPU time that this version used. */
  readonly cpuSeconds?: number;
  readonly cpuWait?: CpuWait;
  readonly contention?: Contention;
}

/** Requests by bucket; `offset` is the index of the first count. JSON has an array, a program perhaps a Float64Array. */
export interface BucketCounts {
  readonly offset: number;
  readonly counts: readonly number[] | Float64Array;
}

/** Time in which this version's threads waited for a CPU, by who held it: this version itself, or anyone else. */
export interface CpuWait {
  readonly ownSeconds: number;
  readonly othersSeconds: number;
}

/** Signs of a busy node that are not part of any request: seconds, and shares of wall time. */
export interface Contention {
  readonly runqueueP95Seconds?: number;
  readonly throttledShare?: number;
  readonly cpuPressureShare?: number;
  /** Of the CPU time that the version wanted, what a hypervisor took: stolen / (stolen + used). */
  readonly stealShare?: number;
}

/** A measure of the user's own, compared like latency (`mean`) or like errors (`ratio`, of events). */
export interface Signal {
  readonly name: string;
  readonly kind: 'ratio' | 'mean';
  readonly better: 'higher' | 'lower';
  readonly cells: readonly SignalCell[];
}

/** Sum and count (`mean`) or events and trials (`ratio`) of one version on one node. */
export interface SignalCell {
  readonly node: string;
  readonly arm: 'canary' | 'baseline';
  readonly numerator: number;
  readonly denominator: number;
}

/** What the judge found; numbers are null where nothing could be measured (NaN is not JSON). */
export interface Verdict {
  readonly apiVersion: 'plumbline/v1';
  readonly app: string;
  readonly canary: string;
  readonly baseline: string;
  readonly verdict: 'pass' | 'marginal' | 'fail' | 'skewed' | 'inconclusive';
  /** What a rollout should do: go on, wait, or go back. */
  readonly code: 'pass' | 'inconclusive' | 'fail';
  readonly score: number;
  readonly delta: Delta | null;
  readonly metrics: readonly MetricVerdict[];
  readonly errors: ErrorVerdict;
  readonly evidence: { readonly errors: number; readonly alpha: number; readonly looks: number };
  readonly samples: Samples;
  readonly grade: Grade;
  readonly contention: ContentionVerdict;
  /** Stable codes; `reasonSentence` says each for people. */
  readonly reasons: readonly Reason[];
  readonly window: { readonly from: string | null; readonly to: string | null };
}

/** Canary against baseline at one quantile: relative differences (0.2 is 20 % slower) at level 1 − α. */
export interface Delta {
  readonly metric: string;
  readonly relative: number;
  readonly lower: number;
  readonly upper: number;
  /** The same difference in seconds at the baseline's level. */
  readonly seconds: number;
  /** The relative difference before anything was held against the nodes. */
  readonly raw: number | null;
}

/** One quantile or signal; positive `relative` is always worse. */
export interface MetricVerdict {
  readonly metric: string;
  readonly state: 'worse' | 'not-inferior' | 'suspect' | 'undecided';
  readonly relative: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly raw: number | null;
  /** What it may be worse by, for the canary to pass; where it is worse, for it not to fail. Relative. */
  readonly margin: number | null;
  readonly blocks: number;
  readonly mde: number | null;
  readonly etaSeconds: number | null;
  /** Set where an e-process decides: evidence against "no worse than the margin". */
  readonly evidence: number | null;
}

/** Error ratios, the stratified odds ratio, and how fast each arm burns the error budget (1 = as planned). */
export interface ErrorVerdict {
  readonly canaryRatio: number | null;
  readonly baselineRatio: number | null;
  readonly oddsRatio: number | null;
  /** Upper confidence bound of canary less baseline, as a share of requests. */
  readonly upperDifference: number | null;
  readonly burnRate: { readonly canary: number | null; readonly baseline: number | null } | null;
  readonly baselineStable: boolean;
}

/** `mde`: smallest true increase of the delta's metric that would be told from zero in 8 of 10 runs. */
export interface Samples {
  readonly canary: number;
  readonly baseline: number;
  readonly blocks: number;
  readonly mde: number | null;
  readonly etaSeconds: number | null;
}

/** How well code and node can be told apart; `share` of canary requests that this grade covers. */
export interface Grade {
  readonly name: 'matched' | 'measured' | 'co-tenant' | 'covariate' | 'none';
  readonly share: number;
  /** The nodes that carry the canary. */
  readonly nodes: readonly string[];
}

/**
 * Scheduler delay as a share of request time, and the share of CPU time that a hypervisor took, by arm; `explained`:
 * share of the raw delta due to the nodes.
 */
export interface ContentionVerdict {
  readonly schedDelayShare: { readonly canary: number | null; readonly baseline: number | null };
  readonly stealShare: { readonly canary: number | null; readonly baseline: number | null };
  readonly explained: number | null;
}

export type Reason =
  | 'NO_TRAFFIC'
  | 'NO_CANARY_TRAFFIC'
  | 'NO_BASELINE'
  | 'STALE'
  | 'LOW_TRAFFIC'
  | 'NO_DURATIONS'
  | 'WARMING_UP'
  | 'ERRORS_WORSE'
  | 'ERRORS_NOT_MATCHED'
  | 'ERRORS_UNDECIDED'
  | 'BASELINE_ALSO_BAD'
  | 'RETRY_STORM_SUSPECTED'
  | 'TRAFFIC_SHARE_UNEXPECTED'
  | 'LATENCY_WORSE'
  | 'SIGNAL_WORSE'
  | 'SIGNAL_UNDECIDED'
  | 'MASKED_BY_QUIET_NODE'
  | 'HEALED'
  | 'NODE_CONTENTION'
  | 'RAW_DELTA_EXCEEDS_MARGIN'
  | 'MATCHED_DELTA_WITHIN_MARGIN'
  | 'ADJUSTED_DELTA_WITHIN_MARGIN'
  | 'GRADE_NOT_SUFFICIENT'
  | 'CONTENTION_DIFFERS'
  | 'WAITS_FOR_ITSELF'
  | 'STARVED_OF_CPU'
  | 'CPU_STOLEN'
  | 'BUCKETS_TOO_COARSE'
  | 'LOWER_QUANTILE_JUDGED'
  | 'TAIL_NOT_JUDGEABLE'
  | 'LATENCY_SUSPECT'
  | 'EFFECT_TOO_SMALL_TO_SEE'
  | 'AWAITING_LOOKS'
  | 'NOT_INFERIOR'
  | 'SOURCE_UNAVAILABLE'
  | 'SAME_VERSION'
  | 'NAMESPACE_NEEDED';
