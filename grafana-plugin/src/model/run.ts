// What was observed of one app, wherever it came from: the judge's windows, with what else the panel shows.
import type { Arms, Cell, VerdictInput, Window } from '@plumbline/verdict';

/** A run as it is judged, and the figures beside it that nobody judges. Times are Unix seconds. */
export interface Run extends VerdictInput {
  readonly windows: readonly RunWindow[];
  readonly foundBy: Arms['foundBy'];
  /** Other versions of the app with traffic in the same time. */
  readonly otherVersions: readonly string[];
  /** Whether errors were counted; without them nothing may be said about the canary. */
  readonly errorsKnown: boolean;
  /** Who held the CPU while this app waited for it, over the whole run. */
  readonly blame: readonly Blame[];
  /** Quantiles that somebody else computed: shown where there are no durations. */
  readonly quantiles?: readonly QuantileSeries[];
}

export interface RunWindow extends Window {
  /** What its counts are of, where that is not `windowSeconds`. */
  readonly seconds?: number;
  readonly cells: readonly RunCell[];
}

/** One version on one node in one window; absent figures were not measured. */
export interface RunCell extends Cell {
  readonly clientErrors?: number;
  readonly cpuSeconds?: number;
  readonly memoryBytes?: number;
  readonly retransmits?: number;
  readonly connectionFailures?: number;
}

/** CPU time that `culprit` held on `node` while `arm` waited for it. */
export interface Blame {
  readonly node: string;
  readonly arm: 'canary' | 'baseline';
  /** As `namespace/app version`; `other` for the rest. */
  readonly culprit: string;
  readonly seconds: number;
}

/** Quantile `p` (0…1) of one arm over time, in seconds. */
export interface QuantileSeries {
  readonly p: number;
  readonly arm: 'canary' | 'baseline';
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
}

/** What stands in the way, in words for the one who reads it, and what to do about it. */
export interface Notice {
  readonly kind: 'missing' | 'empty' | 'single-version' | 'wrong-data' | 'error';
  readonly title: string;
  readonly text: string;
  /** What to do; each a sentence, or PromQL to copy. */
  readonly remedies: readonly string[];
}

/** A run or the reason why there is none, and what was left out on the way (for people). */
export interface Observed {
  readonly run?: Run;
  readonly notice?: Notice;
  readonly remarks: readonly string[];
}
