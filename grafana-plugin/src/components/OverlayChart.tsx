// Both versions over time: the canary's quantile laid over the baseline's, the gap shaded where it is worse.
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2, useTheme2 } from '@grafana/ui';
import { useMemo, useState } from 'react';
import { formatRelative, formatSeconds, nothing } from '../model/format.ts';
import type { Names, Overlay } from '../model/model.ts';
import { Row, Stroke, titleHeight, TitledChart, Tooltip } from './chartParts.tsx';
import type { Size } from './chartParts.tsx';
import { TimeChart } from './TimeChart.tsx';
import type { Line } from './TimeChart.tsx';
import { armColors } from './tones.tsx';

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
    <TitledChart
      title={`${metric} of requests`}
      width={width}
      keys={(['canary', 'baseline'] as const).map((arm) => (
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
          <Stroke
            color={colors[arm]}
            width={arm === 'canary' ? 3 : 2.5}
            dash={arm === 'canary' ? undefined : '6 3'}
          />
          {names[arm]} {last(overlay[arm])}
        </button>
      ))}
    >
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
    </TitledChart>
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
});
