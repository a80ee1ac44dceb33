// In: the store and the agent's own state. Out: what a scrape reads, written by prom-client's registry.
import { Registry, type Metric, type RegistryContentType } from 'prom-client';
import { classicBoundsSeconds, toClassic } from '../series/native.ts';
import type { CounterMetric, HistogramMetric, Store } from '../series/store.ts';
import type { SelfMetric } from './self.ts';

type Labels = Readonly<Record<string, string>>;

/** A sample as prom-client writes it; `sharedLabels` are formatted once for all samples that have them. */
interface Sample {
  readonly metricName?: string;
  readonly labels: Labels;
  readonly sharedLabels?: Labels;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: () => readonly Sample[];
}

export interface Exposition {
  readonly contentType: string;
  /** The body of one scrape. */
  readonly scrape: () => Promise<string>;
}

/** Writes the store and the agent's own metrics in one of prom-client's formats, with `node` on every sample. */
export const createExposition = (
  store: Store,
  selfMetrics: readonly SelfMetric[],
  node: string,
  contentType: RegistryContentType,
): Exposition => {
  const registry = new Registry<RegistryContentType>();
  registry.setContentType(contentType);
  registry.setDefaultLabels({ node });
  const families = [...store.metrics.map(storeFamily), ...selfMetrics.map(selfFamily)];
  for (const family of families) {
    // OpenMetrics names a counter without _total and its samples with it; the registry appends it.
    const isBare = contentType === Registry.OPENMETRICS_CONTENT_TYPE && family.type === 'counter';
    const name = isBare ? family.name.replace(/_total$/, '') : family.name;
    const metric = {
      name,
      type: family.type,
      get: () => Promise.resolve({ ...family, name, values: family.samples() }),
    };
    registry.registerMetric(metric as unknown as Metric);
  }
  return { contentType, scrape: () => registry.metrics() };
};

const storeFamily = (metric: HistogramMetric | CounterMetric): Family => {
  const { name, help } = metric.definition;
  return metric.kind === 'histogram'
    ? { name, help, type: 'histogram', samples: () => histogramSamples(metric) }
    : {
        name,
        help,
        type: 'counter',
        samples: () => [...metric.series.values()].map(({ labels, value }) => ({ labels, value })),
      };
};

const histogramSamples = ({ definition: { name }, series }: HistogramMetric): readonly Sample[] =>
  [...series.values()].flatMap(({ labels: sharedLabels, counts, sumSeconds }) => {
    const { cumulative, total } = toClassic(counts);
    const bucket = (le: string, value: number): Sample => ({
      metricName: `${name}_bucket`,
      labels: { le },
      sharedLabels,
      value,
    });
    return [
      ...classicBoundsSeconds.map((bound, position) => bucket(String(bound), cumulative[position] ?? 0)),
      bucket('+Inf', total),
      { metricName: `${name}_sum`, labels: {}, sharedLabels, value: sumSeconds },
      { metricName: `${name}_count`, labels: {}, sharedLabels, value: total },
    ];
  });

const selfFamily = ({ name, help, kind, read }: SelfMetric): Family => ({
  name,
  help,
  type: kind,
  samples: () => read().map(([value, labels = {}]) => ({ labels, value })),
});
