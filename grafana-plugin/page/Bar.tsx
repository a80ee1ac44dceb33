// The bar: whose numbers these are, which app and versions, whether they are of now, and light or dark.
import { css } from '@emotion/css';
import { dateTimeFormat } from '@grafana/data';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import type { ReactNode } from 'react';
import type { AppAnswer } from '../../agent/src/history/api.ts';
import type { Feed, Wanted } from './feed.ts';
import type { Range } from './observed.ts';

interface BarProps {
  readonly feed: Feed;
  readonly wanted: Wanted;
  readonly onWanted: (wanted: Wanted) => void;
  /** Where the page stands still; undefined while it is live. */
  readonly range: Range | undefined;
  readonly onPause: () => void;
  readonly mode: 'light' | 'dark';
  readonly onMode: () => void;
}

export function Bar({ feed, wanted, onWanted, range, onPause, mode, onMode }: BarProps) {
  const styles = useStyles2(getStyles);
  const { report, history } = feed;
  const isLive = range === undefined;
  const other = mode === 'dark' ? 'light' : 'dark';
  return (
    <header className={styles.bar}>
      <h1 className={styles.name}>
        <img src="page/logo.svg" alt="" width={24} height={24} />
        Plumbline
        {report && <span className={styles.node}>{report.node}</span>}
      </h1>
      <Pickers {...{ feed, wanted, onWanted }} />
      <div className={styles.end}>
        <State feed={feed} range={range} />
        <button type="button" className={styles.button} onClick={onPause} disabled={history === undefined}>
          {isLive ? 'Pause' : 'Back to live'}
        </button>
        <button type="button" className={styles.button} onClick={onMode} title={`Change to ${other} colours`}>
          {other === 'dark' ? 'Dark' : 'Light'}
        </button>
      </div>
    </header>
  );
}

function Pickers({
  feed: { apps, history },
  wanted,
  onWanted,
}: Pick<BarProps, 'feed' | 'wanted' | 'onWanted'>) {
  const styles = useStyles2(getStyles);
  const shown = {
    app: wanted.app ?? history?.app,
    namespace: wanted.namespace ?? history?.namespace ?? undefined,
  };
  const isShown = ({ app, namespace }: Omit<AppAnswer, 'versions' | 'canary' | 'baseline'>) =>
    app === shown.app && (shown.namespace ?? namespace) === namespace;
  const seen = apps.find(isShown);
  const versions = seen?.versions.map(({ version }) => version) ?? [];
  const choose = (arm: 'canary' | 'baseline', version: string) => {
    const { canary, baseline, ...rest } = { ...wanted, [arm]: version };
    onWanted({
      ...rest,
      ...(seen && { namespace: seen.namespace, app: seen.app }),
      ...(canary && { canary }),
      ...(baseline && { baseline }),
    });
  };
  const namesSame = new Set(apps.map(({ app }) => app)).size < apps.length;
  return (
    <nav className={styles.pickers} aria-label="What is compared">
      <Picker
        label="App"
        value={seen ? String(apps.indexOf(seen)) : ''}
        onChange={(index) => {
          const chosen = apps[Number(index)];
          if (chosen) onWanted({ namespace: chosen.namespace, app: chosen.app });
        }}
      >
        {!seen && <option value="">{shown.app === undefined ? 'none yet' : `${shown.app} (gone)`}</option>}
        {apps.map(({ namespace, app }, index) => (
          <option key={`${namespace}/${app}`} value={index}>
            {namesSame ? `${namespace}/${app}` : app}
          </option>
        ))}
      </Picker>
      {(['canary', 'baseline'] as const).map((arm) => {
        const found = wanted[arm] === undefined ? history?.[arm] : undefined;
        const other = wanted[arm === 'canary' ? 'baseline' : 'canary'];
        const gone = wanted[arm] !== undefined && !versions.includes(wanted[arm]) ? [wanted[arm]] : [];
        return (
          <Picker
            key={arm}
            label={arm === 'canary' ? 'Canary' : 'Baseline'}
            value={wanted[arm] ?? ''}
            onChange={(version) => {
              choose(arm, version);
            }}
          >
            <option value="">
              {found !== undefined && versions.includes(found) ? `${found} (found)` : 'find it'}
            </option>
            {[...versions.filter((version) => version !== other), ...gone].map((version) => (
              <option key={version} value={version}>
                {version}
                {gone.includes(version) ? ' (gone)' : ''}
              </option>
            ))}
          </Picker>
        );
      })}
    </nav>
  );
}

function Picker({
  label,
  value,
  onChange,
  children,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly children: ReactNode;
}) {
  const styles = useStyles2(getStyles);
  return (
    <label className={styles.picker}>
      <span>{label}</span>
      <select
        value={value}
        onChange={({ target }) => {
          onChange(target.value);
        }}
      >
        {children}
      </select>
    </label>
  );
}

/** In words, and only those words change that say something new: they are read out. */
function State({ feed: { report, fault, answeredMs }, range }: Pick<BarProps, 'feed' | 'range'>) {
  const styles = useStyles2(getStyles);
  const time = (ms: number) => dateTimeFormat(ms, { format: 'HH:mm:ss' });
  if (range) {
    return (
      <span className={styles.state} role="status" data-testid="state">
        {time(range.from * 1000)} to {time(range.to * 1000)}
      </span>
    );
  }
  if (fault !== undefined && answeredMs !== undefined) {
    return (
      <span className={styles.bad} role="alert" data-testid="state">
        {fault} This is as of {time(answeredMs)}; trying again.
      </span>
    );
  }
  if (report !== undefined && report.notReady !== null) {
    return (
      <span className={styles.bad} role="status" data-testid="state" title={report.notReady}>
        not ready: {report.notReady}
      </span>
    );
  }
  return (
    <span className={styles.state} role="status" data-testid="state">
      {report && (
        <>
          <span className={styles.dot} aria-hidden="true" />
          live, last {Math.round(report.historySeconds / 60)} min
        </>
      )}
    </span>
  );
}

/** A telephone, or a window beside the terminal. */
const narrow = '@media (max-width: 720px)';

const getStyles = (theme: GrafanaTheme2) => ({
  bar: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: theme.spacing(1, 3),
    padding: theme.spacing(1, 2),
    borderBottom: `1px solid ${theme.colors.border.weak}`,
    background: theme.colors.background.canvas,
    [narrow]: { padding: theme.spacing(1), gap: theme.spacing(0.5, 1) },
  }),
  name: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(1),
    margin: 0,
    fontSize: theme.typography.h5.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
  }),
  node: css({ color: theme.colors.text.secondary, fontWeight: theme.typography.fontWeightRegular }),
  pickers: css({
    display: 'flex',
    gap: theme.spacing(1, 2),
    minWidth: 0,
    [narrow]: { gap: theme.spacing(1), width: '100%' },
  }),
  picker: css({
    display: 'flex',
    alignItems: 'center',
    gap: theme.spacing(0.75),
    minWidth: 0,
    [narrow]: { flex: '1 1 0', flexDirection: 'column', alignItems: 'stretch', gap: 0 },
    span: { color: theme.colors.text.secondary, [narrow]: { fontSize: theme.typography.bodySmall.fontSize } },
    select: {
      width: 'auto',
      minWidth: 0,
      maxWidth: 260,
      height: 32,
      padding: theme.spacing(0, 0.5),
      border: `1px solid ${theme.colors.border.medium}`,
      borderRadius: theme.shape.radius.default,
      background: theme.colors.background.primary,
      color: theme.colors.text.primary,
      font: 'inherit',
      textOverflow: 'ellipsis',
      [narrow]: { width: '100%' },
    },
  }),
  end: css({ display: 'flex', alignItems: 'center', gap: theme.spacing(1), marginLeft: 'auto', minWidth: 0 }),
  state: css({ color: theme.colors.text.secondary, fontVariantNumeric: 'tabular-nums' }),
  bad: css({ color: theme.colors.error.text, fontWeight: theme.typography.fontWeightMedium }),
  dot: css({
    display: 'inline-block',
    width: 8,
    height: 8,
    marginRight: theme.spacing(0.75),
    borderRadius: '50%',
    background: theme.colors.success.main,
  }),
  button: css({
    height: 32,
    padding: theme.spacing(0, 1.5),
    border: `1px solid ${theme.colors.border.medium}`,
    borderRadius: theme.shape.radius.default,
    background: 'none',
    color: theme.colors.text.primary,
    whiteSpace: 'nowrap',
    '&:hover': { background: theme.colors.action.hover },
    '&:disabled': { color: theme.colors.text.disabled },
  }),
});
