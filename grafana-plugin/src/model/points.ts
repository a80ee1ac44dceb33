// Windows in; the moments that are drawn, each with the sums of both arms over its windows, out.
import { addCounts, emptyHistogram, merge } from '@plumbline/verdict';
import type { Histogram } from '@plumbline/verdict';
import type { ByArm } from './model.ts';
import type { Run, RunCell, RunWindow } from './run.ts';

/** What one arm did in some windows; memory is summed over `memoryCells` readings. What was not measured is undefined. */
export interface Sums extends Record<OptionalFigure, number | undefined> {
  requests: number;
  errors: number;
  memoryCells: number;
  readonly durations: Histogram;
}

export type OptionalFigure =
  'clientErrors' | 'cpuSeconds' | 'memoryBytes' | 'retransmits' | 'connectionFailures' | 'schedDelaySeconds';

/** A stretch of windows without a hole; `arms` is null in the middle of a gap. */
export interface Point {
  readonly end: number;
  readonly seconds: number;
  readonly windows: readonly RunWindow[];
  readonly arms: ByArm<Sums> | null;
}

/** Returns a run as points wide enough that quantile `p` of the thinner arm means something, and not too many. */
export function pointsOf(run: Run, p: number): readonly Point[] {
  const { windows, windowSeconds } = run;
  const size = groupSize(windows, p);
  const points: Point[] = [];
  let group: RunWindow[] = [];
  const close = (): void => {
    const last = group.at(-1);
    if (last) points.push(pointOf(group, last.end, windowSeconds));
    group = [];
  };
  let previousEnd: number | undefined;
  for (const window of windows) {
    if (previousEnd !== undefined && window.end - previousEnd > 1.5 * windowSeconds) {
      close();
      points.push({ end: (previousEnd + window.end) / 2, seconds: 0, windows: [], arms: null });
    }
    group.push(window);
    previousEnd = window.end;
    if (group.length >= size) close();
  }
  close();
  return points;
}

/** Adds a cell to the sums of its arm. */
export function addCell(sums: Sums, cell: RunCell): void {
  sums.requests += cell.requests;
  sums.errors += cell.errors;
  addFigures(sums, cell);
  if (cell.memoryBytes !== undefined) sums.memoryCells += 1;
  if (cell.durations) addCounts(sums.durations, cell.durations);
}

/** Adds other sums to `sums`. */
export function addSums(sums: Sums, other: Sums): void {
  sums.requests += other.requests;
  sums.errors += other.errors;
  sums.memoryCells += other.memoryCells;
  addFigures(sums, other);
  merge(sums.durations, other.durations);
}

/** Returns sums of nothing. */
export function emptySums(): Sums {
  return {
    requests: 0,
    errors: 0,
    clientErrors: undefined,
    cpuSeconds: undefined,
    memoryBytes: undefined,
    memoryCells: 0,
    retransmits: undefined,
    connectionFailures: undefined,
    schedDelaySeconds: undefined,
    durations: emptyHistogram(),
  };
}

/** By name, since there are thousands of cells: with names in a loop it takes engines several times as long. */
function addFigures(sums: Sums, more: Readonly<Partial<Record<OptionalFigure, number | undefined>>>): void {
  sums.clientErrors = plus(sums.clientErrors, more.clientErrors);
  sums.cpuSeconds = plus(sums.cpuSeconds, more.cpuSeconds);
  sums.memoryBytes = plus(sums.memoryBytes, more.memoryBytes);
  sums.retransmits = plus(sums.retransmits, more.retransmits);
  sums.connectionFailures = plus(sums.connectionFailures, more.connectionFailures);
  sums.schedDelaySeconds = plus(sums.schedDelaySeconds, more.schedDelaySeconds);
}

function plus(sum: number | undefined, more: number | undefined): number | undefined {
  return more === undefined ? sum : (sum ?? 0) + more;
}

/** More points than pixels help nobody; a dozen still shows a course. */
const mostPoints = 240;
const fewestPoints = 12;
/** Requests beyond the quantile that a point should have. */
const pointTail = 5;

function groupSize(windows: readonly RunWindow[], p: number): number {
  const thinner = windows
    .map((window) => Math.min(requestsOf(window, 'canary'), requestsOf(window, 'baseline')))
    .filter((requests) => requests > 0)
    .sort((a, b) => a - b);
  const typical = thinner[thinner.length >> 1] ?? 0;
  const wanted = typical > 0 ? Math.ceil(pointTail / (1 - p) / typical) : 1;
  const most = Math.max(1, Math.floor(windows.length / fewestPoints));
  return Math.max(Math.ceil(windows.length / mostPoints), Math.min(wanted, most));
}

function requestsOf({ cells }: RunWindow, arm: 'canary' | 'baseline'): number {
  let requests = 0;
  for (const cell of cells) if (cell.arm === arm) requests += cell.requests;
  return requests;
}

function pointOf(windows: readonly RunWindow[], end: number, windowSeconds: number): Point {
  const arms = { canary: emptySums(), baseline: emptySums() };
  for (const { cells } of windows) {
    for (const cell of cells) {
      if (cell.arm === 'canary' || cell.arm === 'baseline') addCell(arms[cell.arm], cell);
    }
  }
  const seconds = windows.reduce((sum, window) => sum + (window.seconds ?? windowSeconds), 0);
  return { end, seconds, windows, arms };
}
