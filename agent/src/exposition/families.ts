// In: the store and the agent's own metrics. Out: metric families, which a writer turns into what a scrape reads.
import type { CounterMetric, HistogramMetric, HistogramSeries, Store } from '../series/store.ts';
import type { SelfMetric } from './self.ts';

export type Labels = Readonly<Record<string, string>>;

/** A value with its labels; `createdMs` (Unix ms) is when it was zero, where that is known. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  readonly createdMs?: number;
}

interface FamilyOf<Type extends string, Content> {
  readonly type: Type;
  readonly name: string;
  readonly help: string;
  /** Read when a scrape comes. */
  readonly samples: () => Iterable<Content>;
}

export type Family =
  | FamilyOf<'counter' | 'gauge', Sample>
  | FamilyOf<'histogram', Pick<HistogramSeries, 'labels' | 'counts' | 'sumSeconds' | 'createdMs'>>;

/** A format of /metrics. */
export interface Exposition {
  readonly contentType: string;
  /** The body of one scrape, piece by piece: between two pieces others have their turn. */
  readonly scrape: () => AsyncIterable<Uint8Array>;
}

/** Everything that the agent exposes, the measured first. */
export const createFamilies = (store: Store, selfMetrics: readonly SelfMetric[]): readonly Family[] => [
  ...store.metrics.map(storeFamily),
  ...selfMetrics.map(selfFamily),
];

const storeFamily = ({ kind, definition, series }: HistogramMetric | CounterMetric): Family => {
  const { name, help } = definition;
  return kind === 'histogram'
    ? { type: kind, name, help, samples: () => series.values() }
    : { type: kind, name, help, samples: () => series.values() };
};

const selfFamily = ({ name, help, kind, read }: SelfMetric): Family => ({
  name,
  help,
  type: kind,
  samples: () => read().map(([value, labels = {}]) => ({ labels, value })),
});
