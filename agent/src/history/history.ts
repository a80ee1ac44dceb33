// In: the store after each snapshot. Out: what each version did in the last minutes, window by window, in memory.
import { filledRange, nativeIndex } from '../series/native.ts';
import type { Store } from '../series/store.ts';
import { unknownWorkload, type Workload } from '../workloads/workload.ts';
import { createIncreases, type Increase } from './increases.ts';

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
  readonly cpuWait: Increase['cpuWait'];
  readonly throttledSeconds: number | undefined;
}

/** All versions that had requests in the window that ends at `end`, in Unix seconds. */
export interface HistoryWindow {
  readonly end: number;
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
  /** `dropped`: windows that went before their time, for their bytes. */
  readonly stats: () => { readonly bytes: number; readonly dropped: number };
}

export const createHistory = ({ windowMs, lengthMs, maxBytes }: HistoryOptions): History => {
  const increases = createIncreases();
  const windows: HistoryWindow[] = [];
  let bytes = 0;
  let dropped = 0;
  let openMs: number | undefined;
  let begin: number | undefined;

  const close = (store: Store, endMs: number) => {
    const cells = increases
      .read(store)
      .filter(({ workload }) => workload.app !== unknownWorkload.app)
      .map(cellOf);
    const window = { end: endMs / 1000, cells, bytes: sum(cells.map(bytesOf)) };
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

  return {
    windowSeconds: windowMs / 1000,
    observe: (store, nowMs) => {
      const endMs = nowMs - (nowMs % windowMs);
      // A clock that was set back has no windows until it has caught up; nothing counts twice.
      if (openMs !== undefined && endMs > openMs) close(store, endMs);
      openMs = Math.max(openMs ?? endMs, endMs);
    },
    windows: () => windows,
    begin: () => begin,
    stats: () => ({ bytes: bytes + increases.bytes(), dropped }),
  };
};

const cellOf = ({ durations, netDurations, ...rest }: Increase): HistoryCell => ({
  ...rest,
  durations: trim(durations),
  netDurations: trim(netDurations),
});

const trim = (counts: Float64Array): Counts => {
  const [first, end] = filledRange(counts);
  return { offset: nativeIndex(first), counts: Uint32Array.from(counts.subarray(first, end)) };
};

const bytesOf = ({ durations, netDurations }: HistoryCell): number =>
  durations.counts.byteLength + netDurations.counts.byteLength + bytesOfCell;

/** A cell without its counts. */
const bytesOfCell = 700;

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
