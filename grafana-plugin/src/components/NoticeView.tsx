// What stands in the way, and what to do about it.
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import type { Notice } from '../model/run.ts';

export function NoticeView({ notice }: { readonly notice: Notice }) {
  const styles = useStyles2(getStyles);
  const { kind, title, text, remedies } = notice;
  return (
    <section
      className={styles.notice}
      role={kind === 'error' ? 'alert' : 'status'}
      data-testid="notice"
      data-kind={kind}
    >
      <h2>{title}</h2>
      <p>{text}</p>
      {remedies.length > 0 && (
        <ul>
          {remedies.map((remedy) => (
            <li key={remedy}>{isQuery(remedy) ? <code>{remedy}</code> : remedy}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function isQuery(remedy: string): boolean {
  return remedy.includes('by (');
}

const getStyles = (theme: GrafanaTheme2) => ({
  notice: css({
    borderLeft: `3px solid ${theme.colors.warning.border}`,
    background: theme.colors.background.secondary,
    borderRadius: theme.shape.radius.default,
    padding: theme.spacing(1.5, 2),
    maxWidth: '90ch',
    h2: { fontSize: theme.typography.h5.fontSize, margin: 0 },
    p: { margin: theme.spacing(0.5, 0), color: theme.colors.text.secondary },
    ul: { margin: theme.spacing(0.5, 0, 0, 2.5) },
    li: { margin: theme.spacing(0.5, 0) },
    code: { wordBreak: 'break-word', whiteSpace: 'normal', fontSize: theme.typography.bodySmall.fontSize },
  }),
});
