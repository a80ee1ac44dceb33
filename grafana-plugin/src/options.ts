// The panel's options as Grafana stores them.
import type { JudgeOptions } from '@plumbline/verdict';

/** Sections of the panel that can be switched off. */
export const sections = ['overlay', 'strip', 'signals', 'nodes'] as const;
export type Section = (typeof sections)[number];

export interface CanaryOptions {
  /** Names or dashboard variables; empty is found from the data. */
  readonly app: string;
  readonly canary: string;
  readonly baseline: string;
  /** One of 0.5, 0.9, 0.95, 0.99: what is drawn, and the highest that is judged. */
  readonly quantile: number;
  readonly layout: 'full' | 'compact';
  readonly sections: readonly Section[];
  /** What queries are whose refId is not the name of a role: `A=durations, B=requests`. */
  readonly roles: string;
  /** Names of custom signals of which more is better, separated by commas. */
  readonly higherIsBetter: string;
  /** Thresholds; absent ones are the verdict library's defaults. */
  readonly judge: JudgeOptions;
}
