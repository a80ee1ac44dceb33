// Increases by arm and node in; the cells of one window, as the judge wants them, out.
import { observationsOf } from '@plumbline/verdict';
import type { Contention } from '@plumbline/verdict';
import type { RunCell } from '../model/run.ts';
import type { Histograms } from './histograms.ts';
import { counted } from './counters.ts';
import type { Increases, States } from './counters.ts';

type Grouped = ReadonlyMap<string, Increases>;

/** Everything that is known of the groups (an arm on a node), by role. */
export interface Parts extends Readonly<
  Record<
    'requests' | 'delay' | 'stolen' | 'throttled' | 'pressure' | 'cpu' | 'retransmits' | 'failures',
    Grouped
  >
> {
  readonly durations: ReadonlyMap<string, Histograms>;
  readonly net: ReadonlyMap<string, Histograms>;
  /** By culprit, as `culpritKey` has it. */
  readonly waits: Grouped;
  /** Whether a culprit is the group itself; undefined where that cannot be told. */
  readonly isOwn: ((culprit: string, group: string) => boolean) | undefined;
  readonly runqueue: ReadonlyMap<string, Float64Array>;
  readonly memory: ReadonlyMap<string, Float64Array>;
}

/** What a group did in the window that ends at moment `i`; undefined where that is not fully known. */
export type CellReader = (i: number) => RunCell | undefined;

/** Returns the reader of a group: what belongs to it is looked up once, not in each window. */
export function cellReader(group: string, step: number, parts: Parts): CellReader {
  const [arm = '', node = ''] = group.split('\0');
  const requests = parts.requests.get(group);
  const durations = parts.durations.get(group);
  const net = parts.net.get(group);
  const codes = requests && sumCodes(requests);
  const waits = parts.waits.get(group);
  const cpuWait =
    waits && parts.isOwn && sumWaits(waits, (culprit) => parts.isOwn?.(culprit, group) ?? false);
  const increase = (grouped: Grouped, over = 1): Figure => {
    const { state, byKey } = grouped.get(group) ?? {};
    const values = byKey?.get('');
    if (!state || !values) return nothing;
    return (i) => (state[i] === counted ? (values[i] ?? 0) / over : undefined);
  };
  const contention = contentionReader({
    runqueueP95Seconds: amount(parts.runqueue.get(group)),
    throttledShare: increase(parts.throttled, step),
    cpuPressureShare: increase(parts.pressure, step),
    stealShare: shareOf(increase(parts.stolen), increase(parts.cpu)),
  });
  const schedDelaySeconds = increase(parts.delay);
  const cpuSeconds = increase(parts.cpu);
  const memoryBytes = amount(parts.memory.get(group));
  const retransmits = increase(parts.retransmits);
  const connectionFailures = increase(parts.failures);
  return (i) => {
    // Both come from the same scrape: when one of them is not known, the other would be half the truth.
    if (!isKnown(requests?.state, i) || !isKnown(durations?.state, i)) return undefined;
    const counts = durations?.counts[i];
    // What is absent is there as undefined: engines take cells of one shape, of which there are thousands, best.
    const cell: { readonly [Key in keyof Required<RunCell>]: RunCell[Key] | undefined } = {
      arm: arm as RunCell['arm'],
      node,
      requests: codes ? (codes.all[i] ?? 0) : counts ? observationsOf(counts) : 0,
      errors: codes?.errors[i] ?? 0,
      clientErrors: codes?.clientErrors[i],
      durations: counts,
      netDurations: net?.counts[i],
      schedDelaySeconds: schedDelaySeconds(i),
      cpuSeconds: cpuSeconds(i),
      memoryBytes: memoryBytes(i),
      retransmits: retransmits(i),
      connectionFailures: connectionFailures(i),
      cpuWait:
        cpuWait && isKnown(waits.state, i)
          ? { ownSeconds: cpuWait.own[i] ?? 0, othersSeconds: cpuWait.others[i] ?? 0 }
          : undefined,
      contention: contention(i),
    };
    return cell as RunCell;
  };
}

/** A figure of window `i`; undefined where it was not measured. */
type Figure = (i: number) => number | undefined;

/** Signs of contention in a window; undefined where there is none. */
function contentionReader({
  runqueueP95Seconds,
  throttledShare,
  cpuPressureShare,
  stealShare,
}: Readonly<Record<keyof Contention, Figure>>): (i: number) => Contention | undefined {
  return (i) => {
    const signs: { readonly [Sign in keyof Contention]: Contention[Sign] | undefined } = {
      runqueueP95Seconds: runqueueP95Seconds(i),
      throttledShare: throttledShare(i),
      cpuPressureShare: cpuPressureShare(i),
      stealShare: stealShare(i),
    };
    const isMeasured =
      signs.runqueueP95Seconds !== undefined ||
      signs.throttledShare !== undefined ||
      signs.cpuPressureShare !== undefined ||
      signs.stealShare !== undefined;
    return isMeasured ? signs : undefined;
  };
}

function isKnown(state: States | undefined, i: number): boolean {
  return state === undefined || state[i] === counted;
}

interface Codes {
  readonly all: Float64Array;
  readonly errors: Float64Array;
  readonly clientErrors: Float64Array;
}

/** 5xx and failed gRPC calls are the server's errors, 4xx the client's. */
function sumCodes({ byKey, state: { length } }: Increases): Codes {
  const sums = {
    all: new Float64Array(length),
    errors: new Float64Array(length),
    clientErrors: new Float64Array(length),
  };
  for (const [code, increases] of byKey) {
    add(sums.all, increases);
    if (code.startsWith('5') || code === 'grpc_error') add(sums.errors, increases);
    else if (code.startsWith('4')) add(sums.clientErrors, increases);
  }
  return sums;
}

/** Waits for a CPU that the group held itself, and that anyone else did. */
function sumWaits({ byKey, state: { length } }: Increases, isOwn: (culprit: string) => boolean) {
  const sums = { own: new Float64Array(length), others: new Float64Array(length) };
  for (const [culprit, increases] of byKey) add(isOwn(culprit) ? sums.own : sums.others, increases);
  return sums;
}

function add(sums: Float64Array, increases: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + (increases[i] ?? 0);
}

/** The one as a share of both together. */
function shareOf(part: Figure, rest: Figure): Figure {
  return (i) => {
    const value = part(i);
    return value === undefined || value === 0 ? value : value / (value + (rest(i) ?? 0));
  };
}

function nothing(): undefined {
  return undefined;
}

function amount(values: Float64Array | undefined): Figure {
  if (!values) return nothing;
  return (i) => {
    const value = values[i] ?? NaN;
    return Number.isFinite(value) && value >= 0 ? value : undefined;
  };
}
