// Increases by arm and node in; the cells of one window, as the judge wants them, out.
import type { BucketCounts } from '@plumbline/verdict';
import type { RunCell } from '../model/run.ts';
import type { Histograms } from './buckets.ts';
import { counted } from './counters.ts';
import type { Increases } from './counters.ts';

type Grouped = ReadonlyMap<string, Increases>;

/** Everything that is known of the groups (an arm on a node), by role. */
export interface Parts extends Readonly<
  Record<'requests' | 'delay' | 'throttled' | 'pressure' | 'cpu' | 'retransmits' | 'failures', Grouped>
> {
  readonly durations: ReadonlyMap<string, Histograms>;
  readonly net: ReadonlyMap<string, Histograms>;
  readonly runqueue: ReadonlyMap<string, ArrayLike<unknown>>;
  readonly memory: ReadonlyMap<string, ArrayLike<unknown>>;
}

/** Returns what a group did in the window that ends at moment `i`; undefined where that is not fully known. */
export function cellAt(group: string, i: number, step: number, parts: Parts): RunCell | undefined {
  const [arm = '', node = ''] = group.split('\0');
  const requests = parts.requests.get(group);
  const durations = parts.durations.get(group);
  // Both come from the same scrape: when one of them is not known, the other would be half the truth.
  if (requests && requests.state[i] !== counted) return undefined;
  if (durations && durations.state[i] !== counted) return undefined;
  const counts = durations?.counts[i];
  const netCounts = parts.net.get(group)?.counts[i];
  const codes = requests ? sumCodes(requests, i) : { all: sumOf(counts), errors: 0, clientErrors: undefined };
  const increase = (grouped: Grouped): number | undefined => {
    const increases = grouped.get(group);
    return increases?.state[i] === counted ? increases.byKey.get('')?.[i] : undefined;
  };
  const contention = present({
    runqueueP95Seconds: amountAt(parts.runqueue.get(group), i),
    throttledShare: perSecond(increase(parts.throttled), step),
    cpuPressureShare: perSecond(increase(parts.pressure), step),
  });
  return {
    arm: arm as 'canary' | 'baseline',
    node,
    requests: codes.all,
    errors: codes.errors,
    ...present({
      clientErrors: codes.clientErrors,
      durations: counts,
      netDurations: netCounts,
      schedDelaySeconds: increase(parts.delay),
      cpuSeconds: increase(parts.cpu),
      memoryBytes: amountAt(parts.memory.get(group), i),
      retransmits: increase(parts.retransmits),
      connectionFailures: increase(parts.failures),
      contention: Object.keys(contention).length > 0 ? contention : undefined,
    }),
  };
}

/** 5xx and failed gRPC calls are the server's errors, 4xx the client's. */
function sumCodes({ byKey }: Increases, i: number): { all: number; errors: number; clientErrors: number } {
  const sums = { all: 0, errors: 0, clientErrors: 0 };
  for (const [code, increases] of byKey) {
    const count = increases[i] ?? 0;
    sums.all += count;
    if (code.startsWith('5') || code === 'grpc_error') sums.errors += count;
    else if (code.startsWith('4')) sums.clientErrors += count;
  }
  return sums;
}

function sumOf(counts: BucketCounts | undefined): number {
  return counts?.counts.reduce((sum, count) => sum + count, 0) ?? 0;
}

function perSecond(increase: number | undefined, step: number): number | undefined {
  return increase === undefined ? undefined : increase / step;
}

function amountAt(values: ArrayLike<unknown> | undefined, i: number): number | undefined {
  const value = values?.[i];
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

type Present<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>;
}
