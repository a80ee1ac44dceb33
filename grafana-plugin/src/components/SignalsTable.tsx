// All figures of both versions, each with its difference, its course and its own word.
import { useStyles2, useTheme2 } from '@grafana/ui';
import { formatPoints, formatRelative, formatValue } from '../model/format.ts';
import type { Names, SignalRow } from '../model/model.ts';
import { Sparkline } from './Sparkline.tsx';
import { getTableStyles } from './tableStyles.ts';
import { Sign, stateColor, stateWords } from './tones.tsx';

export function SignalsTable({
  rows,
  names,
  width,
}: {
  readonly rows: readonly SignalRow[];
  readonly names: Names;
  readonly width: number;
}) {
  const styles = useStyles2(getTableStyles);
  const theme = useTheme2();
  // What is left out where there is no room: the course, then what the strip above says as well.
  const hasAdjusted = width >= 380 && rows.some(({ adjusted }) => adjusted !== null);
  const hasCourse = width >= (hasAdjusted ? 620 : 440);
  return (
    <section className={styles.section}>
      <h3 className={styles.title}>Signals</h3>
      <div className={styles.scroll} data-scrolls tabIndex={0} role="region" aria-label="Signals">
        <table className={styles.table} aria-label="Signals of canary and baseline">
          <thead>
            <tr>
              <th scope="col">
                <span className="sr-only">Signal</span>
              </th>
              <th scope="col">{names.canary}</th>
              <th scope="col">{names.baseline}</th>
              <th scope="col" title="As it looks: all requests of one version against all of the other">
                difference
              </th>
              {hasAdjusted && (
                <th scope="col" title="With the nodes’ part taken out: what is judged">
                  nodes taken out
                </th>
              )}
              {hasCourse && <th scope="col">course</th>}
              <th scope="col" className={styles.left}>
                verdict
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(
              ({ id, label, unit, canary, baseline, delta, deltaUnit, state, sparkline, adjusted }) => (
                <tr key={id} data-signal={id} data-state={state}>
                  <th scope="row">{label}</th>
                  <td>{formatValue(canary, unit)}</td>
                  <td>{formatValue(baseline, unit)}</td>
                  <td>{deltaUnit === 'points' ? formatPoints(delta) : formatRelative(delta)}</td>
                  {hasAdjusted && <td>{adjusted === null ? '' : formatRelative(adjusted)}</td>}
                  {hasCourse && (
                    <td>
                      <Sparkline courses={sparkline} width={80} height={20} />
                    </td>
                  )}
                  <td className={styles.left}>
                    {state !== 'not-judged' && (
                      <span className={styles.state} style={{ color: stateColor(theme, state) }}>
                        <Sign of={state} size={12} />
                        {stateWords[state]}
                      </span>
                    )}
                  </td>
                </tr>
              ),
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}
