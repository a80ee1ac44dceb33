// In: rows of versions. Out: a table for a terminal. Pure.
import type { VersionRow } from './versions.ts';

const columns: readonly (readonly [title: string, cell: (row: VersionRow) => string])[] = [
  ['APP', ({ namespace, app }) => (namespace === app ? app : `${namespace}/${app}`)],
  ['VERSION', ({ version }) => version],
  ['REQUESTS', ({ requests }) => String(requests)],
  [
    'RATE/s',
    ({ requestsPerSecond }) => (Number.isFinite(requestsPerSecond) ? requestsPerSecond.toFixed(1) : '-'),
  ],
  ['ERRORS', ({ requests, errors }) => (requests === 0 ? '-' : `${((100 * errors) / requests).toFixed(1)}%`)],
  ['P50', ({ p50Seconds }) => formatSeconds(p50Seconds)],
  ['P99', ({ p99Seconds }) => formatSeconds(p99Seconds)],
  ['NET P99', ({ netP99Seconds }) => formatSeconds(netP99Seconds)],
  [
    'CPU WAIT',
    ({ requests, schedDelayShare }) => (requests === 0 ? '-' : `${(100 * schedDelayShare).toFixed(1)}%`),
  ],
];
const textColumns = 2;
const leastTextWidth = 7;

/** What a table may take: characters a line, and lines. */
export interface Space {
  readonly width: number;
  readonly height: number;
}

/**
 * A header and a line each row, ending with a line break. Where that is too high, the rows with the most requests, and
 * how many others there are; where it is too wide, app and version are shortened.
 */
export const renderTable = (
  rows: readonly VersionRow[],
  { width, height }: Space = { width: Infinity, height: Infinity },
): string => {
  if (rows.length === 0) return 'No HTTP request seen yet on this node.\n';
  const shown = busiest(rows, rows.length < height ? rows.length : Math.max(1, height - 2));
  const cells = [
    columns.map(([title]) => title),
    ...shown.map((row) => columns.map(([, cell]) => cell(row))),
  ];
  const table = align(cells, width);
  return shown.length === rows.length
    ? table
    : `${table}and ${rows.length - shown.length} with fewer requests\n`;
};

const busiest = (rows: readonly VersionRow[], count: number): readonly VersionRow[] => {
  const chosen = new Set(rows.toSorted((a, b) => b.requests - a.requests).slice(0, count));
  return rows.filter((row) => chosen.has(row));
};

const align = (lines: readonly (readonly string[])[], width: number): string => {
  const natural = columns.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const gaps = columns.length - 1;
  const isWide = natural.reduce((sum, each) => sum + each, 2 * gaps) <= width;
  const gap = isWide ? '  ' : ' ';
  const widths = isWide ? natural : narrowed(natural, width - gaps);
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return column < textColumns ? shorten(cell, width).padEnd(width) : cell.padStart(width);
        })
        .join(gap),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
};

/** The longer of the text columns gives first. */
const narrowed = (natural: readonly number[], width: number): readonly number[] => {
  const [first = 0, second = 0, ...numbers] = natural;
  const space = Math.max(2 * leastTextWidth, width - numbers.reduce((sum, each) => sum + each, 0));
  const half = Math.floor(space / 2);
  const narrowedFirst = Math.min(first, Math.max(half, space - second));
  return [narrowedFirst, Math.min(second, space - narrowedFirst), ...numbers];
};

/** By its middle: names begin alike or end alike, seldom both. */
const shorten = (text: string, width: number): string => {
  if (text.length <= width) return text;
  const tail = Math.floor((width - 1) / 2);
  return `${text.slice(0, width - 1 - tail)}…${text.slice(text.length - tail)}`;
};

/** Three significant digits and the unit that fits: 96.4us, 3.62ms, 1.20s; a dash for NaN. */
export const formatSeconds = (seconds: number): string => {
  if (Number.isNaN(seconds)) return '-';
  const [value, unit] =
    seconds < 1e-3 ? [seconds * 1e6, 'us'] : seconds < 1 ? [seconds * 1e3, 'ms'] : [seconds, 's'];
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)}${unit}`;
};
