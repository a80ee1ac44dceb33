// What a probe tells the rest of the agent about its maps: which metrics they become. Kernel integers in.

/** Names the labels that a metric takes from the fields of a map's key, behind the cgroup id. */
export type LabelField = readonly [label: string, valueOf: (key: number) => string];

interface MetricDefinition {
  /** Full metric name, with its unit. */
  readonly name: string;
  readonly help: string;
  /** Labels that are the same for every series of this metric. */
  readonly labels: Readonly<Record<string, string>>;
  readonly fields: readonly LabelField[];
}

/** A histogram of durations, bucketed in the kernel (bpf/fragments/bucket.bt); exposed in seconds. */
export interface HistogramDefinition extends MetricDefinition {
  readonly kind: 'histogram';
  /** Maps keyed (cgroup, …fields, bucket); a bucket's count is their sum. */
  readonly buckets: readonly string[];
  /**
   * Maps keyed (cgroup, …fields) in ns: the sum of all values is what these come to. Nothing is taken from another: the
   * maps are not read at one instant, and a sum must not fall.
   */
  readonly sumsNs: readonly string[];
}

/** A counter of what a map has grown by, or a gauge of what is in it; `scale` turns the kernel's integer into its unit. */
export interface CounterDefinition extends MetricDefinition {
  readonly kind: 'counter' | 'gauge';
  readonly map: string;
  readonly scale: number;
  /**
   * Of a gauge of what has begun and not ended: the map of what ended and whose begin was not seen. By it, what was open
   * before a handover goes on to count, and to end.
   */
  readonly unmatched?: string;
  /** The map is keyed (victim's cgroup, culprit's cgroup): labels `culprit_…`, ten of them a victim, and "other". */
  readonly hasCulprit?: true;
}

/** One probe: bpf/NAME.bt and agent/src/probes/NAME.ts; bpf/reduced/NAME.bt fills the same maps with less. */
export interface Probe {
  readonly name: string;
  /** One line for `plumbline bpf` without a name. */
  readonly purpose: string;
  /** Loaded only where the configuration names it. */
  readonly isOptIn?: true;
  /** It counts while the others are still being loaded. */
  readonly isFirst?: true;
  /** What `plumbline check` says of its scope. */
  readonly scope?: string;
  /** Over budget, the probe with the highest number is switched off first; those without one never are. */
  readonly dispensable?: number;
  /** What it takes at each switch of threads, about, in ns: stands for its cost where that cannot be measured. */
  readonly switchNs?: number;
  /** Two probes that fill the same maps name the same objects. */
  readonly metrics: readonly (HistogramDefinition | CounterDefinition)[];
  /** The oldest kernel that is known to take it in full; any, if undefined. */
  readonly leastKernel?: readonly [major: number, minor: number];
}
