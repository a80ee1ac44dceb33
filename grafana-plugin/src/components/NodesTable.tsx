// The nodes, the one that moves the comparison most first; where it is busy, and who makes it so.
import { useStyles2 } from '@grafana/ui';
import { useState } from 'react';
import { formatCount, formatRelative, formatValue } from '../model/format.ts';
import type { NodeRow } from '../model/model.ts';
import { getTableStyles } from './tableStyles.ts';

/** Nodes that are shown before one asks for all. */
export const firstNodes = 10;

export function NodesTable({
  rows,
  metric,
  width,
}: {
  readonly rows: readonly NodeRow[];
  readonly metric: string;
  readonly width: number;
}) {
  const styles = useStyles2(getTableStyles);
  const [isWhole, setIsWhole] = useState(false);
  const has = (read: (row: NodeRow) => unknown): boolean => rows.some((row) => read(row) !== null);
  const columns = [
    {
      head: 'requests',
      cell: ({ requests }: NodeRow) => `${formatCount(requests.canary)} | ${formatCount(requests.baseline)}`,
      title: 'canary | baseline',
    },
    {
      head: `${metric} here`,
      cell: ({ delta }: NodeRow) => formatRelative(delta),
      title: 'The difference of both versions on this node alone',
    },
    {
      head: 'part',
      cell: ({ contribution }: NodeRow) => (
        <>
          <span className={styles.bar} style={{ width: Math.round(40 * contribution) }} />
          {Math.round(100 * contribution)} %
        </>
      ),
      title: 'Of how much slower the canary looks, what comes from this node',
      isShown: rows.length > 1,
    },
    {
      head: 'waits for CPU',
      cell: ({ schedDelayShare }: NodeRow) =>
        formatValue(schedDelayShare.canary ?? schedDelayShare.baseline, 'share'),
      title: 'Share of request time spent runnable, but not running',
      isShown: has(({ schedDelayShare }) => schedDelayShare.canary ?? schedDelayShare.baseline),
    },
    {
      head: 'CPU held by',
      cell: blameText,
      title: 'Who had the CPU meanwhile',
      isText: true,
      isShown: rows.some(({ blame }) => blame.length > 0) && width >= 380,
    },
    {
      head: 'run queue p95',
      cell: ({ runqueueP95Seconds }: NodeRow) => formatValue(runqueueP95Seconds, 'seconds'),
      title: 'Wait in the run queue',
      isShown: has(({ runqueueP95Seconds }) => runqueueP95Seconds),
    },
    {
      head: 'throttled',
      cell: ({ throttledShare }: NodeRow) => formatValue(throttledShare, 'share'),
      title: 'Share of time throttled by a CPU limit',
      isShown: has(({ throttledShare }) => throttledShare),
    },
    {
      head: 'stolen',
      cell: ({ stealShare }: NodeRow) =>
        `${formatValue(stealShare.canary, 'share')} | ${formatValue(stealShare.baseline, 'share')}`,
      title: 'Share of the CPU time of canary | baseline that the hypervisor gave to others',
      isShown: rows.some(({ stealShare: { canary, baseline } }) => (canary ?? 0) + (baseline ?? 0) > 0),
    },
    {
      head: 'CPU pressure',
      cell: ({ cpuPressureShare }: NodeRow) => formatValue(cpuPressureShare, 'share'),
      title: 'Share of time in which a task waited for a CPU',
      isShown: has(({ cpuPressureShare }) => cpuPressureShare),
    },
  ].filter(({ isShown = true }) => isShown);
  const shown = isWhole ? rows : rows.slice(0, firstNodes);
  return (
    <section className={styles.section}>
      <h3 className={styles.title}>Nodes</h3>
      <div className={styles.scroll} data-scrolls tabIndex={0} role="region" aria-label="Nodes">
        <table className={styles.table} aria-label="Nodes, by their part in the difference">
          <thead>
            <tr>
              <th scope="col">node</th>
              {columns.map(({ head, title, isText }) => (
                <th key={head} scope="col" title={title} className={isText ? styles.left : undefined}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.node} data-node={row.node}>
                <th scope="row">{row.node}</th>
                {columns.map(({ head, cell, isText }) => (
                  <td key={head} className={isText ? styles.left : undefined}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > firstNodes && (
        <button
          type="button"
          onClick={() => {
            setIsWhole(!isWhole);
          }}
        >
          {isWhole ? 'Show fewer' : `Show all ${rows.length} nodes`}
        </button>
      )}
    </section>
  );
}

function blameText({ blame }: NodeRow): string {
  const all = blame.reduce((sum, { seconds }) => sum + seconds, 0);
  return blame
    .slice(0, 2)
    .map(({ culprit, seconds }) => `${culprit} ${Math.round((100 * seconds) / all)} %`)
    .join(', ');
}
