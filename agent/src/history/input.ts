// In: the history. Out: the apps in it, and what the verdict is given of one of them. Pure.
import type { Cell, VerdictInput, Window } from '@plumbline/verdict';
import { schema } from '../series/native.ts';
import { pickArms, type Arms, type SeenVersion } from './arms.ts';
import type { Counts, History, HistoryCell } from './history.ts';

/** An app that had requests in the history; `arms` are absent where only one version had. */
export interface SeenApp {
  readonly namespace: string;
  readonly app: string;
  readonly versions: readonly SeenVersion[];
  readonly arms: Arms | undefined;
}

/** Sorted by name; versions by the time at which they were first seen. */
export const seenApps = (history: History): readonly SeenApp[] => {
  const apps = new Map<string, { namespace: string; app: string; versions: Map<string, SeenVersion> }>();
  for (const { end, cells } of history.windows()) {
    for (const { workload, codes } of cells) {
      const { namespace, app, version } = workload;
      const key = JSON.stringify([namespace, app]);
      const known = apps.get(key) ?? { namespace, app, versions: new Map<string, SeenVersion>() };
      apps.set(key, known);
      const before = known.versions.get(version) ?? { version, firstSeen: end, requests: 0 };
      known.versions.set(version, { ...before, requests: before.requests + sum(Object.values(codes)) });
    }
  }
  return [...apps.values()]
    .map(({ namespace, app, versions: seen }) => {
      const versions = [...seen.values()].sort((a, b) => a.firstSeen - b.firstSeen);
      return { namespace, app, versions, arms: pickArms(versions, history.begin() ?? 0) };
    })
    .sort((a, b) => a.app.localeCompare(b.app) || a.namespace.localeCompare(b.namespace));
};

/** A cell with its requests by code, which the panel shows and the judge ignores. */
export interface CodedCell extends Cell {
  readonly codes: Readonly<Record<string, number>>;
}

/** What is compared. */
export interface Subject extends Arms {
  /** Null for an app that was not seen, in no namespace that was named. */
  readonly namespace: string | null;
  readonly app: string;
}

/**
 * The windows after `since`, as the judge reads them. Windows in which neither version had a request are there,
 * empty: nothing seen is something known.
 *
 * @param now Unix seconds
 */
export const verdictInput = (
  history: History,
  { namespace, app, canary, baseline }: Subject,
  node: string,
  now: number,
  since = -Infinity,
): VerdictInput => {
  const armOf = ({ workload }: HistoryCell) => {
    if (workload.namespace !== namespace || workload.app !== app) return undefined;
    return workload.version === canary ? 'canary' : workload.version === baseline ? 'baseline' : undefined;
  };
  const windows = history
    .windows()
    .filter(({ end }) => end > since && end <= now)
    .map(({ end, cells }): Window => {
      const own = cells.flatMap((cell) => {
        const arm = armOf(cell);
        return arm === undefined ? [] : [verdictCell(cell, arm, node, history.windowSeconds)];
      });
      return { end, cells: own };
    });
  return { app, canary, baseline, buckets: { schema }, windowSeconds: history.windowSeconds, now, windows };
};

const verdictCell = (
  { codes, durations, netDurations, schedDelaySeconds, cpuWait, throttledSeconds }: HistoryCell,
  arm: 'canary' | 'baseline',
  node: string,
  windowSeconds: number,
): CodedCell => ({
  node,
  arm,
  requests: sum(Object.values(codes)),
  errors: (codes['5xx'] ?? 0) + (codes.grpc_error ?? 0),
  codes,
  durations: bucketCounts(durations),
  netDurations: bucketCounts(netDurations),
  schedDelaySeconds,
  ...(cpuWait === undefined ? {} : { cpuWait }),
  ...(throttledSeconds === undefined
    ? {}
    : { contention: { throttledShare: throttledSeconds / windowSeconds } }),
});

const bucketCounts = ({ offset, counts }: Counts) => ({ offset, counts: [...counts] });

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
