// The overlay of both versions, and under it how their difference came to be known.
import { css } from '@emotion/css';
import { dateTimeFormat } from '@grafana/data';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2, useTheme2 } from '@grafana/ui';
import { useMemo, useState } from 'react';
import { formatRelative, formatSeconds, nothing } from '../model/format.ts';
import type { Names, Overlay, Strip } from '../model/model.ts';
import { TimeChart } from './TimeChart.tsx';
import type { ChartContext, Level, Line } from './TimeChart.tsx';
import { armColors } from './tones.tsx';

interface Size {
  readonly context: ChartContext;
  readonly width: number;
  readonly height: number;
}

/** Height of a chart's title, whose keys go below it where they find no room. */
function titleHeight(width: number): number {
  return width < 460 ? 48 : 26;
}

export function OverlayChart({
  overlay,
  names,
  context,
  width,
  height,
  hasTimeAxis,
}: Size & { readonly overlay: Overlay; readonly names: Names; readonly hasTimeAxis: boolean }) {
  const styles = useStyles2(getStyles);
  const theme = useTheme2();
  const colors = armColors(theme);
  const [hidden, setHidden] = useState<readonly string[]>([]);
  const { metric, times, canary, baseline } = overlay;
  const isHidden = (arm: string): boolean => hidden.includes(arm);
  const lines = useMemo((): readonly Line[] => {
    const { canary: ours, baseline: theirs } = armColors(theme);
    // Where the canary is the slower one, this line runs along it, and elsewhere along the baseline.
    const worse = canary.map((value, i) => {
      const other = baseline[i] ?? null;
      return value === null || other === null ? null : Math.max(value, other);
    });
    const areBoth = hidden.length === 0;
    return [
      {
        label: 'baseline',
        values: baseline,
        color: theirs,
        width: 2,
        dash: [7, 4],
        isHidden: hidden.includes('baseline'),
      },
      { label: 'canary', values: canary, color: ours, width: 2.5, isHidden: hidden.includes('canary') },
      { label: 'worse', values: worse, color: 'transparent', width: 0, isHidden: !areBoth },
    ];
  }, [canary, baseline, theme, hidden]);
  const last = (values: readonly (number | null)[]): string => {
    const value = values.findLast((one) => one !== null);
    return typeof value === 'number' ? formatSeconds(value) : nothing;
  };
  const bands = hidden.length === 0 ? [{ upper: 2, lower: 0, color: `${colors.canary}55` }] : [];
  return (
    <section className={styles.section}>
      <div className={styles.title} style={{ height: titleHeight(width) }}>
        <h3>{metric} of requests</h3>
        {(['canary', 'baseline'] as const).map((arm) => (
          <button
            key={arm}
            type="button"
            className={styles.toggle}
            aria-pressed={!isHidden(arm)}
            title={isHidden(arm) ? `Show ${names[arm]}` : `Hide ${names[arm]}`}
            onClick={() => {
              setHidden(isHidden(arm) ? hidden.filter((one) => one !== arm) : [...hidden, arm]);
            }}
          >
            <svg width="22" height="10" aria-hidden="true">
              <line
                x1="0"
                x2="22"
                y1="5"
                y2="5"
                stroke={colors[arm]}
                strokeWidth={arm === 'canary' ? 3 : 2.5}
                strokeDasharray={arm === 'canary' ? undefined : '6 3'}
              />
            </svg>
            {names[arm]} {last(overlay[arm])}
          </button>
        ))}
      </div>
      <TimeChart
        label={`${metric} over time. Latest: canary ${names.canary} ${last(canary)}, baseline ${names.baseline} ${last(baseline)}.`}
        times={times}
        lines={lines}
        bands={bands}
        range={(_, max) => [0, max > 0 ? max * 1.08 : 0.001]}
        format={formatSeconds}
        context={context}
        width={width}
        height={height - titleHeight(width)}
        hasTimeAxis={hasTimeAxis}
        tooltip={(i) => (
          <Tooltip time={times[i] ?? 0} context={context}>
            <Row color={colors.canary} label={names.canary} value={secondsText(canary[i])} />
            <Row color={colors.baseline} label={names.baseline} value={secondsText(baseline[i])} />
            <Row label="difference" value={formatRelative(relativeOf(canary[i], baseline[i]))} />
          </Tooltip>
        )}
      />
    </section>
  );
}

export function StripChart({ strip, context, width, height }: Size & { readonly strip: Strip }) {
  const styles = useStyles2(getStyles);
  const theme = useTheme2();
  const { metric, times, adjusted, lower, upper, raw, failMargin, passMargin } = strip;
  const color = theme.colors.text.primary;
  const quiet = theme.colors.text.secondary;
  const lines = useMemo((): readonly Line[] => {
    const edge = { color: 'transparent', width: 0 };
    return [
      { label: 'upper', values: upper, ...edge },
      { label: 'lower', values: lower, ...edge },
      { label: 'raw', values: raw, color: quiet, width: 2, dash: [2, 4] },
      { label: 'adjusted', values: adjusted, color, width: 2.5 },
    ];
  }, [upper, lower, raw, adjusted, color, quiet]);
  const limits = useMemo(() => limitsOf(strip), [strip]);
  const levels: readonly Level[] = [
    { value: 0, text: '', color: theme.colors.border.strong },
    ...(failMargin === passMargin
      ? [{ value: failMargin, text: `margin ${formatRelative(failMargin)}`, color: theme.colors.error.text }]
      : [
          {
            value: failMargin,
            text: `fails above ${formatRelative(failMargin)}`,
            color: theme.colors.error.text,
            isTextBelow: failMargin < passMargin,
          },
          {
            value: passMargin,
            text: `passes below ${formatRelative(passMargin)}`,
            color: theme.colors.success.text,
            isTextBelow: passMargin < failMargin,
          },
        ]),
  ];
  const end = adjusted.at(-1) ?? null;
  return (
    <section className={styles.section}>
      <div className={styles.title} style={{ height: titleHeight(width) }}>
        <h3>Difference of {metric}</h3>
        <span className={styles.key}>
          <Stroke color={color} /> nodes taken out {formatRelative(end)}
        </span>
        <span className={styles.key}>
          <Stroke color={quiet} dash="2 4" /> as it looks {formatRelative(raw.at(-1) ?? null)}
        </span>
      </div>
      <TimeChart
        label={`Difference of ${metric} over time, with its interval. At the end: ${formatRelative(end)}, from ${formatRelative(lower.at(-1) ?? null)} to ${formatRelative(upper.at(-1) ?? null)}; ${formatRelative(raw.at(-1) ?? null)} if nodes are ignored.`}
        times={times}
        lines={lines}
        bands={[{ upper: 0, lower: 1, color: theme.isDark ? '#b0b6c44d' : '#6b72804d' }]}
        levels={levels}
        range={() => limits}
        format={(value) => formatRelative(value).replace('.0 %', ' %')}
        context={{ ...context, marks: context.marks.filter(({ value }) => value === undefined) }}
        width={width}
        height={height - titleHeight(width)}
        hasTimeAxis
        tooltip={(i) => (
          <Tooltip time={times[i] ?? 0} context={context}>
            <Row color={color} label="nodes taken out" value={formatRelative(adjusted[i] ?? null)} />
            <Row
              label="interval"
              value={`${formatRelative(lower[i] ?? null)} to ${formatRelative(upper[i] ?? null)}`}
            />
            <Row color={quiet} label="as it looks" value={formatRelative(raw[i] ?? null)} />
          </Tooltip>
        )}
      />
    </section>
  );
}

/** Some intervals are as wide as the sky: the scale follows the newest half, what matters beside it, and the estimates. */
function limitsOf({ adjusted, lower, upper, raw, failMargin }: Strip): [number, number] {
  const late = (values: readonly (number | null)[]): readonly number[] =>
    values.slice(Math.floor(values.length / 2)).filter((value) => value !== null);
  const estimates = [...late(raw), ...late(adjusted)];
  const highest = Math.max(failMargin * 1.25, ...estimates, 0.05);
  const low = Math.min(-failMargin / 2, ...late(lower), ...estimates, -0.03);
  return [Math.max(-1, low * 1.1), Math.min(Math.max(highest, ...late(upper)), 3 * highest) * 1.1];
}

function Tooltip({
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

function Row({
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

function Stroke({ color, dash }: { readonly color: string; readonly dash?: string }) {
  return (
    <svg width="22" height="10" aria-hidden="true">
      <line x1="0" x2="22" y1="5" y2="5" stroke={color} strokeWidth="2.5" strokeDasharray={dash} />
    </svg>
  );
}

function secondsText(seconds: number | null | undefined): string {
  return typeof seconds === 'number' ? formatSeconds(seconds) : nothing;
}

function relativeOf(canary: number | null | undefined, baseline: number | null | undefined): number | null {
  return typeof canary === 'number' && typeof baseline === 'number' && baseline > 0
    ? canary / baseline - 1
    : null;
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
  key: css({
    display: 'inline-flex',
    alignItems: 'center',
    gap: 6,
    color: theme.colors.text.primary,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
  toggle: css({
    display: 'inline-flex',
    alignItems: 'center',
    gap: 6,
    border: 0,
    padding: theme.spacing(0.25, 0.5),
    background: 'none',
    color: theme.colors.text.primary,
    fontSize: theme.typography.bodySmall.fontSize,
    borderRadius: theme.shape.radius.default,
    '&:hover': { background: theme.colors.action.hover },
    '&[aria-pressed="false"]': { textDecoration: 'line-through', color: theme.colors.text.secondary },
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
