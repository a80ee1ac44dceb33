// How the difference of the versions came to be known: the estimate in its band, which narrows as evidence comes.
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2, useTheme2 } from '@grafana/ui';
import { useMemo } from 'react';
import { formatRelative } from '../model/format.ts';
import type { Strip } from '../model/model.ts';
import { Row, Stroke, titleHeight, TitledChart, Tooltip } from './chartParts.tsx';
import type { Size } from './chartParts.tsx';
import { TimeChart } from './TimeChart.tsx';
import type { Level, Line } from './TimeChart.tsx';

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
    <TitledChart
      title={`Difference of ${metric}`}
      width={width}
      keys={
        <>
          <span className={styles.key}>
            <Stroke color={color} /> nodes taken out {formatRelative(end)}
          </span>
          <span className={styles.key}>
            <Stroke color={quiet} dash="2 4" /> as it looks {formatRelative(raw.at(-1) ?? null)}
          </span>
        </>
      }
    >
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
    </TitledChart>
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

const getStyles = (theme: GrafanaTheme2) => ({
  key: css({
    display: 'inline-flex',
    alignItems: 'center',
    gap: 6,
    color: theme.colors.text.primary,
    fontSize: theme.typography.bodySmall.fontSize,
  }),
});
