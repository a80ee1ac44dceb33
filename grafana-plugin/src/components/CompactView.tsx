// A row for those who look at many apps: badge, difference, course.
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import { formatRelative } from '../model/format.ts';
import type { CanaryModel } from '../model/model.ts';
import { Sparkline } from './Sparkline.tsx';
import { Badge } from './VerdictHeader.tsx';

const inOneLine = { flexDirection: 'row', alignItems: 'center', gap: 16 } as const;

export function CompactView({
  model,
  width,
  height,
}: {
  readonly model: CanaryModel;
  readonly width: number;
  readonly height: number;
}) {
  const styles = useStyles2(getStyles);
  const { headline, names, overlay, verdict } = model;
  const share = model.signals.find(({ id }) => id === 'share')?.canary ?? null;
  return (
    <div
      className={styles.compact}
      style={{ width, height, ...(height < 60 ? inOneLine : {}) }}
      data-testid="plumbline-canary"
    >
      <div className={styles.row}>
        <Badge headline={headline} />
        {verdict?.delta && (
          <strong className={styles.delta}>
            {verdict.delta.metric} {formatRelative(verdict.delta.relative)}
          </strong>
        )}
        {overlay && height < 90 && (
          <Sparkline courses={overlay} width={Math.min(160, width / 3)} height={28} />
        )}
      </div>
      {(height >= 60 || width >= 600) && (
        <p className={styles.sentence} title={headline.sentence}>
          {names
            ? `${names.app}: ${names.canary} over ${names.baseline}${share === null ? '' : `, ${Math.round(100 * share)} % of requests`}. `
            : ''}
          {headline.sentence}
        </p>
      )}
      {overlay && height >= 90 && (
        <Sparkline courses={overlay} width={width - 4} height={Math.max(24, height - 92)} />
      )}
    </div>
  );
}

const getStyles = (theme: GrafanaTheme2) => ({
  compact: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(0.5), overflow: 'hidden' }),
  row: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: theme.spacing(0.5, 1.5),
    flex: 'none',
  }),
  delta: css({ fontVariantNumeric: 'tabular-nums', fontSize: theme.typography.h5.fontSize }),
  sentence: css({
    margin: 0,
    flex: '0 1 auto',
    minWidth: 0,
    color: theme.colors.text.secondary,
    display: '-webkit-box',
    WebkitLineClamp: 2,
    WebkitBoxOrient: 'vertical',
    overflow: 'hidden',
  }),
});
