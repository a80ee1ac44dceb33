// In: the store after each snapshot. Out: what each version did in the last minutes, window by window, in memory.
import { filledRange, nativeIndex, quantileSeconds } from '../series/native.ts';
import { workloadKey, type Store } from '../series/store.ts';
import { unknownWorkload, type Workload } from '../workloads/workload.ts';
import { createIncreases, type Blame, type Figures, type Increase } from './increases.ts';

/** Requests by native bucket of schema 3; `offset` is the index of the first count. */
export interface Counts {
  readonly offset: number;
  readonly counts: Uint32Array;
}

/** One version in one window. */
export interface HistoryCell {
  readonly workload: Workload;
  readonly codes: Readonly<Record<string, number>>;
  readonly durations: Counts;
  readonly netDurations: Counts;
  readonly schedDelaySeconds: number;
  /** 95th percentile of its waits for a CPU, by slice; undefined where nobody tells. */
  readonly runqueueP95Seconds: number | undefined;
  /** Who held the CPU while it waited, those who held it longest; undefined where nobody tells. */
  readonly blame: readonly Blame[] | undefined;
  /** Time for which it waited for a CPU that it held itself, or anyone else; undefined where nobody tells. */
  readonly cpuWait: { readonly ownSeconds: number; readonly othersSeconds: number } | undefined;
  readonly figures: Figures;
}

/** All versions that had requests in the window that ends at `end`, in Unix seconds. */
export interface HistoryWindow {
  readonly end: number;
  /** What it holds is of so long: more than its length where the kernel was not read before it. */
  readonly seconds: number;
  readonly cells: readonly HistoryCell[];
  readonly bytes: number;
}

export interface HistoryOptions {
  /** Length of a window. */
  readonly windowMs: number;
  /** Windows older than this go. */
  readonly lengthMs: number;
  /** When what is kept takes more, the oldest windows go. */
  readonly maxBytes: number;
}

/** The last minutes. No database: it begins with the agent and ends with it. */
export interface History {
  readonly windowSeconds: number;
  /** To be called when a snapshot has been applied; closes the window when its time is over. */
  readonly observe: (store: Store, nowMs: number) => void;
  /** In time order. Where the kernel was not read, there is none. */
  readonly windows: () => readonly HistoryWindow[];
  /** End of the first window there ever was; undefined before. */
  readonly begin: () => number | undefined;
  /** `dropped`: windows that went before their time, for their bytes or because the clock was set back. */
  readonly stats: () => { readonly bytes: number; readonly dropped: number };
}

export const createHistory = ({ windowMs, lengthMs, maxBytes }: HistoryOptions): History => {
  const increases = createIncreases();
  const windows: HistoryWindow[] = [];
  let bytes = 0;
  let dropped = 0;
  let openMs: number | undefined;
  let begin: number | undefined;

  const close = (store: Store, beginMs: number, endMs: number) => {
    const cells = increases
      .read(store)
      .filter(({ workload }) => workload.app !== unknownWorkload.app)
      .map(cellOf);
    const seconds = (endMs - beginMs) / 1000;
    const window = { end: endMs / 1000, seconds, cells, bytes: sum(cells.map(bytesOf)) };
    begin ??= window.end;
    windows.push(window);
    bytes += window.bytes;
    while ((windows[0]?.end ?? Infinity) * 1000 <= endMs - lengthMs) dropOldest();
    while (bytes + increases.bytes() > maxBytes && windows.length > 1) {
      dropOldest();
      dropped++;
    }
  };
  const dropOldest = () => {
    bytes -= windows.shift()?.bytes ?? 0;
  };

  /** Of a clock that was set back by more than a window; by less, the open one waits until it has caught up. */
  const forgetAhead = (endMs: number) => {
    while ((windows.at(-1)?.end ?? 0) * 1000 > endMs) {
      bytes -= windows.pop()?.bytes ?? 0;
      dropped++;
    }
  };

  return {
    windowSeconds: windowMs / 1000,
    observe: (store, nowMs) => {
      const endMs = nowMs - (nowMs % windowMs);
      if (openMs === undefined) openMs = endMs;
      else if (endMs > openMs) {
        close(store, openMs, endMs);
        openMs = endMs;
      } else if (endMs < openMs - windowMs) {
        forgetAhead(endMs);
        openMs = endMs;
      }
    },
    windows: () => windows,
    begin: () => begin,
    stats: () => ({ bytes: bytes + increases.bytes(), dropped }),
  };
};

const cellOf = ({ durations, netDurations, runqueueWaits, blame, ...rest }: Increase): HistoryCell => {
  const p95 = quantileSeconds(runqueueWaits, 0.95);
  return {
    ...rest,
    durations: trim(durations),
    netDurations: trim(netDurations),
    runqueueP95Seconds: Number.isNaN(p95) ? undefined : p95,
    blame: blame && heaviest(blame),
    cpuWait: blame && cpuWaitOf(rest.workload, blame),
  };
};

const cpuWaitOf = (workload: Workload, blame: readonly Blame[]): HistoryCell['cpuWait'] => {
  const isOwn = ({ culprit }: Blame) => workloadKey(culprit) === workloadKey(workload);
  const [all, own] = [blame, blame.filter(isOwn)].map((some) => sum(some.map(({ seconds }) => seconds)));
  return { ownSeconds: own ?? 0, othersSeconds: (all ?? 0) - (own ?? 0) };
};

/** Some of them by name, the rest together. */
const heaviest = (blame: readonly Blame[]): readonly Blame[] => {
  const sorted = blame
    .filter(({ seconds }) => seconds >= leastBlameSeconds)
    .sort((a, b) => b.seconds - a.seconds);
  const named = sorted.slice(0, mostCulprits);
  const rest = sum(sorted.slice(mostCulprits).map(({ seconds }) => seconds));
  return rest > 0 ? [...named, { culprit: others, seconds: rest }] : named;
};

const mostCulprits = 3;
/** What weighs less in a window is not worth its memory. */
const leastBlameSeconds = 0.001;
const others: Workload = { namespace: '', app: 'other', version: '' };

const trim = (counts: Float64Array): Counts => {
  const [first, end] = filledRange(counts);
  return { offset: nativeIndex(first), counts: Uint32Array.from(counts.subarray(first, end)) };
};

const bytesOf = ({ durations, netDurations }: HistoryCell): number =>
  durations.counts.byteLength + netDurations.counts.byteLength + bytesOfCell;

/** A cell without its counts; measured, with four culprits. */
const bytesOfCell = 1400;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
