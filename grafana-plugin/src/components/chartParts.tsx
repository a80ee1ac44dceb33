// What the charts have in common: a title with keys above the plot, and what is shown at the cursor.
import { css } from '@emotion/css';
import { dateTimeFormat } from '@grafana/data';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import type { ChartContext } from './TimeChart.tsx';

export interface Size {
  readonly context: ChartContext;
  readonly width: number;
  readonly height: number;
}

/** Height of a chart's title, whose keys go below it where they find no room. */
export function titleHeight(width: number): number {
  return width < 460 ? 48 : 26;
}

/** A plot below its title and the keys to its lines. */
export function TitledChart({
  title,
  keys,
  width,
  children,
}: {
  readonly title: string;
  readonly keys: React.ReactNode;
  readonly width: number;
  readonly children: React.ReactNode;
}) {
  const styles = useStyles2(getStyles);
  return (
    <section className={styles.section}>
      <div className={styles.title} style={{ height: titleHeight(width) }}>
        <h3>{title}</h3>
        {keys}
      </div>
      {children}
    </section>
  );
}

/** A piece of a line, as it is drawn. */
export function Stroke({
  color,
  width = 2.5,
  dash,
}: {
  readonly color: string;
  readonly width?: number;
  readonly dash?: string | undefined;
}) {
  return (
    <svg width="22" height="10" aria-hidden="true">
      <line x1="0" x2="22" y1="5" y2="5" stroke={color} strokeWidth={width} strokeDasharray={dash} />
    </svg>
  );
}

export function Tooltip({
  time,
  context,
  children,
}: {
  readonly time: number;
  readonly context: ChartContext;
  readonly children: React.ReactNode;
}) {
  const styles = useStyles2(getStyles);
  const near = (context.to - context.from) / 100;
  return (
    <>
      <div className={styles.time}>{dateTimeFormat(time * 1000, { timeZone: context.timeZone })}</div>
      <table>
        <tbody>{children}</tbody>
      </table>
      {context.marks
        .filter((mark) => Math.abs(mark.time - time * 1000) < near)
        .map((mark) => (
          <div key={`${mark.time}${mark.text}`}>{mark.text}</div>
        ))}
    </>
  );
}

export function Row({
  color,
  label,
  value,
}: {
  readonly color?: string;
  readonly label: string;
  readonly value: string;
}) {
  const styles = useStyles2(getStyles);
  return (
    <tr>
      <td>{color !== undefined && <span className={styles.dot} style={{ background: color }} />}</td>
      <th scope="row" className={styles.name}>
        {label}
      </th>
      <td className={styles.value}>{value}</td>
    </tr>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  section: css({ display: 'flex', flexDirection: 'column', minWidth: 0, flex: 'none' }),
  title: css({
    display: 'flex',
    flexWrap: 'wrap',
    overflow: 'hidden',
    alignItems: 'center',
    alignContent: 'center',
    gap: theme.spacing(0, 2),
    h3: {
      margin: 0,
      fontSize: theme.typography.body.fontSize,
      fontWeight: theme.typography.fontWeightMedium,
    },
  }),
  time: css({ fontWeight: theme.typography.fontWeightMedium, marginBottom: 4 }),
  dot: css({ display: 'inline-block', width: 10, height: 10, borderRadius: 3, marginRight: 6 }),
  name: css({
    fontWeight: theme.typography.fontWeightRegular,
    paddingRight: theme.spacing(2),
    textAlign: 'left',
  }),
  value: css({
    textAlign: 'right',
    fontVariantNumeric: 'tabular-nums',
    fontWeight: theme.typography.fontWeightMedium,
  }),
});
