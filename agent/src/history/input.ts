// In: the history. Out: the apps in it, and what the verdict is given of one of them. Pure.
import type { Arms, Cell, SeenVersion, VerdictInput, Window } from '@plumbline/verdict';
import { schema } from '../series/native.ts';
import type { Counts, History, HistoryCell } from './history.ts';
import type { Blame } from './increases.ts';
import type { Workload } from '../workloads/workload.ts';

/** The apps that had requests in the history, and its begin in Unix seconds. */
export interface SeenApps {
  readonly begin: number;
  readonly apps: readonly SeenApp[];
}

export interface SeenApp {
  readonly namespace: string;
  readonly app: string;
  readonly versions: readonly SeenVersion[];
}

/** Sorted by name; versions by the time at which they were first seen. */
export const seenApps = (history: History): SeenApps => {
  const seen = new Map<Workload, { firstSeen: number; requests: number }>();
  for (const { end, cells } of history.windows()) {
    for (const { workload, codes } of cells) {
      const known = seen.get(workload) ?? { firstSeen: end, requests: 0 };
      seen.set(workload, known);
      known.requests += sum(Object.values(codes));
    }
  }
  const apps = new Map<string, { namespace: string; app: string; versions: Map<string, SeenVersion> }>();
  for (const [{ namespace, app, version }, { firstSeen, requests }] of seen) {
    const key = JSON.stringify([namespace, app]);
    const known = apps.get(key) ?? { namespace, app, versions: new Map<string, SeenVersion>() };
    apps.set(key, known);
    const before = known.versions.get(version) ?? { version, firstSeen, requests: 0 };
    known.versions.set(version, { ...before, requests: before.requests + requests });
  }
  const sorted = [...apps.values()]
    .map(({ namespace, app, versions }) => ({
      namespace,
      app,
      versions: [...versions.values()].sort((a, b) => a.firstSeen - b.firstSeen),
    }))
    .sort((a, b) => a.app.localeCompare(b.app) || a.namespace.localeCompare(b.namespace));
  return { begin: history.begin() ?? 0, apps: sorted };
};

/** A cell with what the page shows besides, and the judge ignores; absent figures are told by nobody. */
export interface ShownCell extends Cell {
  /** Requests by code. */
  readonly codes: Readonly<Record<string, number>>;
  readonly memoryBytes?: number;
  readonly retransmits?: number;
  readonly connectionFailures?: number;
  /** Who held the CPU while it waited for one: the heaviest, and the rest as `other`. */
  readonly blame?: readonly Blame[];
}

export interface ShownWindow extends Window {
  /** What its counts are of, where nothing could be read for a while and that is more than `windowSeconds`. */
  readonly seconds?: number;
  readonly cells: readonly ShownCell[];
}

/** What is judged, and shown, of an app. */
export interface Shown extends VerdictInput {
  readonly namespace: string | null;
  readonly foundBy: Arms['foundBy'];
  /** End of the first window since the agent started, in Unix seconds; null before. With another one, all is new. */
  readonly begin: number | null;
  readonly windows: readonly ShownWindow[];
}

/** What is compared. */
export interface Subject extends Arms {
  /** Null for an app that was not seen, in no namespace that was named. */
  readonly namespace: string | null;
  readonly app: string;
}

/**
 * The windows after `since`, as the judge reads them, with more. Windows in which neither version had a request are there,
 * empty: nothing seen is something known.
 *
 * @param now Unix seconds
 */
export const shown = (
  history: History,
  { namespace, app, canary, baseline, foundBy }: Subject,
  node: string,
  now: number,
  since = -Infinity,
): Shown => {
  const armOf = ({ workload }: HistoryCell) => {
    if (workload.namespace !== namespace || workload.app !== app) return undefined;
    return workload.version === canary ? 'canary' : workload.version === baseline ? 'baseline' : undefined;
  };
  const windows = history
    .windows()
    .filter(({ end }) => end > since && end <= now)
    .map(({ end, seconds, cells }) => {
      const own = cells.flatMap((cell) => {
        const arm = armOf(cell);
        return arm === undefined ? [] : [shownCell(cell, arm, node, seconds)];
      });
      return { end, ...(seconds !== history.windowSeconds && { seconds }), cells: own };
    });
  const { windowSeconds } = history;
  const begin = history.begin() ?? null;
  const input = { app, canary, baseline, buckets: { schema }, windowSeconds, now, windows };
  return { namespace, foundBy, begin, ...input };
};

const shownCell = (
  {
    codes,
    durations,
    netDurations,
    schedDelaySeconds,
    cpuWait,
    runqueueP95Seconds,
    blame,
    figures: { throttledSeconds, cpuPressureSeconds, stolenSeconds, ...figures },
  }: HistoryCell,
  arm: 'canary' | 'baseline',
  node: string,
  seconds: number,
): ShownCell => {
  const contention = {
    ...(runqueueP95Seconds !== undefined && { runqueueP95Seconds }),
    ...(throttledSeconds !== undefined && { throttledShare: throttledSeconds / seconds }),
    ...(cpuPressureSeconds !== undefined && { cpuPressureShare: cpuPressureSeconds / seconds }),
    ...(stolenSeconds !== undefined && { stealShare: shareOf(stolenSeconds, figures.cpuSeconds) }),
  };
  return {
    node,
    arm,
    requests: sum(Object.values(codes)),
    errors: (codes['5xx'] ?? 0) + (codes.grpc_error ?? 0),
    codes,
    durations: bucketCounts(durations),
    netDurations: bucketCounts(netDurations),
    schedDelaySeconds,
    ...(cpuWait && { cpuWait }),
    ...(Object.keys(contention).length > 0 && { contention }),
    ...figures,
    ...(blame && { blame }),
  };
};

/** Of the CPU time that was wanted, what was stolen. */
const shareOf = (stolen: number, used = 0): number => (stolen > 0 ? stolen / (stolen + used) : 0);

const bucketCounts = ({ offset, counts }: Counts) => ({ offset, counts: [...counts] });

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
