// Everything that is shown, as plain data: components draw it and compute nothing.
import type { Arms, JudgeOptions, MetricVerdict, Verdict } from '@plumbline/verdict';
import type { Notice } from './run.ts';

/** What the viewer chose: thresholds of the judge, and the quantile that is drawn. */
export interface ViewSettings {
  readonly judge: JudgeOptions;
  /** One of 0.5, 0.9, 0.95, 0.99. */
  readonly quantile: number;
}

/** One look at a canary. Times are Unix seconds, durations seconds, differences relative (0.2 is 20 %). */
export interface CanaryModel {
  readonly names: Names | null;
  readonly headline: Headline;
  /** Why there is no verdict, or nothing at all; null when everything is there. */
  readonly notice: Notice | null;
  /** What was left out or looks odd, one sentence each. */
  readonly remarks: readonly string[];
  readonly verdict: Verdict | null;
  readonly overlay: Overlay | null;
  readonly strip: Strip | null;
  readonly signals: readonly SignalRow[];
  readonly nodes: readonly NodeRow[];
}

export interface Names {
  readonly app: string;
  readonly canary: string;
  readonly baseline: string;
  readonly foundBy: Arms['foundBy'];
  readonly others: readonly string[];
}

/** The five-second answer. */
export interface Headline {
  readonly tone: Verdict['verdict'] | 'none';
  readonly word: string;
  readonly sentence: string;
  /** Short facts, most important first. */
  readonly facts: readonly Fact[];
}

export interface Fact {
  readonly label: string;
  readonly value: string;
  /** More, for those who ask. */
  readonly detail?: string;
}

/** One quantile of both arms over time; null where an arm had no requests. */
export interface Overlay {
  readonly metric: string;
  readonly times: readonly number[];
  readonly canary: readonly (number | null)[];
  readonly baseline: readonly (number | null)[];
}

/** The estimate after each look, as it was known then. */
export interface Strip {
  readonly metric: string;
  readonly times: readonly number[];
  /** With the nodes' part taken out, and its interval. */
  readonly adjusted: readonly (number | null)[];
  readonly lower: readonly (number | null)[];
  readonly upper: readonly (number | null)[];
  /** All requests of one version against all of the other, wherever they ran. */
  readonly raw: readonly (number | null)[];
  /** A canary may fail beyond the first and pass below the second. */
  readonly failMargin: number;
  readonly passMargin: number;
}

export type Unit = 'seconds' | 'share' | 'perSecond' | 'bytes' | 'perThousand' | 'number';

export interface SignalRow {
  readonly id: string;
  readonly label: string;
  readonly unit: Unit;
  readonly canary: number | null;
  readonly baseline: number | null;
  /** Relative difference; of shares, the difference in points. */
  readonly delta: number | null;
  readonly deltaUnit: 'relative' | 'points';
  /** The relative difference that was judged: the same with the nodes' part taken out. */
  readonly adjusted: number | null;
  readonly better: 'lower' | 'higher' | 'neither';
  /** `not-judged`: shown for context. */
  readonly state: MetricVerdict['state'] | 'not-judged';
  readonly sparkline: Sparkline;
}

/** Both arms over time, at the same moments as the overlay. */
export interface Sparkline {
  readonly canary: readonly (number | null)[];
  readonly baseline: readonly (number | null)[];
}

export interface NodeRow {
  readonly node: string;
  readonly requests: ByArm<number>;
  /** Relative difference of the overlay's quantile on this node alone. */
  readonly delta: number | null;
  /** Of how much slower the canary looks than the baseline everywhere, the share that comes from this node. */
  readonly contribution: number;
  readonly schedDelayShare: ByArm<number | null>;
  readonly runqueueP95Seconds: number | null;
  readonly throttledShare: number | null;
  readonly stealShare: ByArm<number | null>;
  readonly cpuPressureShare: number | null;
  /** The largest first. */
  readonly blame: readonly { readonly culprit: string; readonly seconds: number }[];
}

export interface ByArm<T> {
  readonly canary: T;
  readonly baseline: T;
}
