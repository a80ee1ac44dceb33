// How both tables look.
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';

export const getTableStyles = (theme: GrafanaTheme2) => ({
  section: css({ minWidth: 0, flex: 'none' }),
  scroll: css({ overflowX: 'auto' }),
  title: css({
    margin: theme.spacing(0, 0, 0.5),
    fontSize: theme.typography.body.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
  }),
  table: css({
    width: '100%',
    borderCollapse: 'collapse',
    fontVariantNumeric: 'tabular-nums',
    fontSize: theme.typography.bodySmall.fontSize,
    'th, td': {
      padding: theme.spacing(0.375, 1, 0.375, 0),
      textAlign: 'right',
      whiteSpace: 'nowrap',
      verticalAlign: 'middle',
    },
    'th:first-of-type': { textAlign: 'left' },
    'thead th': {
      color: theme.colors.text.secondary,
      fontWeight: theme.typography.fontWeightRegular,
      borderBottom: `1px solid ${theme.colors.border.medium}`,
    },
    'tbody th': { fontWeight: theme.typography.fontWeightRegular },
    'tbody tr:not(:last-child) > *': { borderBottom: `1px solid ${theme.colors.border.weak}` },
    'tbody tr:hover': { background: theme.colors.action.hover },
  }),
  state: css({ display: 'inline-flex', alignItems: 'center', gap: 5 }),
  bar: css({
    display: 'inline-block',
    height: 6,
    borderRadius: 3,
    background: theme.colors.text.secondary,
    marginRight: 6,
    verticalAlign: 'middle',
  }),
  quiet: css({ color: theme.colors.text.secondary }),
  left: css({ textAlign: 'left !important' as 'left' }),
});
