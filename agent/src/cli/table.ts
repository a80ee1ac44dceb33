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

/** A header and a line each row, ending with a line break. */
export const renderTable = (rows: readonly VersionRow[]): string => {
  if (rows.length === 0) return 'No HTTP request seen yet on this node.\n';
  const lines = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, cell]) => cell(row)))];
  const widths = columns.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return column < textColumns ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  '),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
};

/** Three significant digits and the unit that fits: 96.4us, 3.62ms, 1.20s; a dash for NaN. */
export const formatSeconds = (seconds: number): string => {
  if (Number.isNaN(seconds)) return '-';
  const [value, unit] =
    seconds < 1e-3 ? [seconds * 1e6, 'us'] : seconds < 1 ? [seconds * 1e3, 'ms'] : [seconds, 's'];
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)}${unit}`;
};
