// The whole page: what the agent answers, as the panel shows it, under a bar with the choice of app and versions.
import { css } from '@emotion/css';
import { createTheme, ThemeContext } from '@grafana/data';
import type { GrafanaTheme2 } from '@grafana/data';
import { GlobalStyles, PortalContainer, useStyles2 } from '@grafana/ui';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { CanaryView } from '../src/components/CanaryView.tsx';
import { buildModel } from '../src/model/build.ts';
import type { CanaryModel } from '../src/model/model.ts';
import { sections, viewSettings } from '../src/options.ts';
import { Bar } from './Bar.tsx';
import { follow, noFeed } from './feed.ts';
import type { Feed, Wanted } from './feed.ts';
import { observedOf } from './observed.ts';
import type { Range } from './observed.ts';
import { useColorMode } from './useColorMode.ts';
import { useSize } from './useSize.ts';
import { searchOf, wantedOf } from './wanted.ts';

/** A time axis is at least so long, so that the first windows do not dance. */
const leastSeconds = 60;

export function Page() {
  const [mode, toggleMode] = useColorMode();
  return (
    <ThemeContext.Provider value={useMemo(() => createTheme({ colors: { mode } }), [mode])}>
      <GlobalStyles />
      <Live mode={mode} onMode={toggleMode} />
      <PortalContainer />
    </ThemeContext.Provider>
  );
}

function Live({ mode, onMode }: { readonly mode: 'light' | 'dark'; readonly onMode: () => void }) {
  const styles = useStyles2(getStyles);
  const [wanted, setWanted] = useWanted();
  /** Where the page stands still: paused, or zoomed in. */
  const [range, setRange] = useState<Range>();
  const feed = useFeed(wanted, range === undefined);
  const [ref, { width, height }] = useSize();
  const model = useMemo(
    () =>
      buildModel(
        observedOf(feed, wanted, range),
        viewSettings({ quantile: 0.99, judge: { marginSeconds: feed.report?.marginSeconds } }),
      ),
    [feed, wanted, range],
  );
  useTitle(model);
  const shown = range ?? liveRange(feed);
  const context = useMemo(
    () => ({
      from: shown.from * 1000,
      to: shown.to * 1000,
      timeZone: 'browser',
      syncKey: 'page',
      hasSharedTooltip: false,
      marks: [],
      onZoom: ({ from, to }: Range) => {
        setRange({ from: from / 1000, to: to / 1000 });
      },
    }),
    [shown.from, shown.to],
  );
  return (
    <div className={styles.page}>
      <Bar
        {...{ feed, wanted, mode, onMode, range }}
        onWanted={(next) => {
          setWanted(next);
          setRange(undefined);
        }}
        onPause={() => {
          setRange(range ? undefined : liveRange(feed));
        }}
      />
      <main ref={ref} className={styles.main}>
        {width > 0 && <CanaryView {...{ model, context, width, height }} layout="full" sections={sections} />}
      </main>
    </div>
  );
}

/** All that is known, up to the agent's now. */
function liveRange({ history, report }: Feed): Range {
  const to = history?.now ?? Date.now() / 1000;
  const { windows = [], windowSeconds = 0 } = history ?? {};
  const first = (windows[0]?.end ?? to) - windowSeconds;
  return {
    from: Math.max(to - (report?.historySeconds ?? Infinity), Math.min(first, to - leastSeconds)),
    to,
  };
}

function useFeed(wanted: Wanted, isLive: boolean): Feed {
  const [feed, setFeed] = useState(noFeed);
  const latest = useRef(feed);
  useEffect(() => {
    if (!isLive) return undefined;
    const stop = new AbortController();
    const onFeed = (next: Feed) => {
      // Another agent than the one that this page came from may not understand it.
      if (latest.current.report && next.report?.version !== latest.current.report.version) location.reload();
      latest.current = next;
      setFeed(next);
    };
    void follow(latest.current, wanted, onFeed, stop.signal);
    return () => {
      stop.abort();
    };
  }, [wanted, isLive]);
  return feed;
}

function useWanted(): [Wanted, (wanted: Wanted) => void] {
  const [wanted, setWanted] = useState(() => wantedOf(location.search));
  useEffect(() => {
    const onBack = () => {
      setWanted(wantedOf(location.search));
    };
    addEventListener('popstate', onBack);
    return () => {
      removeEventListener('popstate', onBack);
    };
  }, []);
  const choose = useCallback((next: Wanted) => {
    history.pushState(null, '', searchOf(next) || '?');
    setWanted(next);
  }, []);
  return [wanted, choose];
}

/** The answer, where one looks for the right tab. */
function useTitle({ headline, names }: CanaryModel): void {
  useEffect(() => {
    document.title = names ? `${headline.word}: ${names.app} ${names.canary} · Plumbline` : 'Plumbline';
  }, [headline.word, names?.app, names?.canary]);
}

const getStyles = (theme: GrafanaTheme2) => ({
  page: css({
    display: 'flex',
    flexDirection: 'column',
    height: '100dvh',
    minWidth: 300,
    background: theme.colors.background.primary,
  }),
  main: css({
    flex: 1,
    minHeight: 0,
    margin: theme.spacing(1.5, 2, 0),
    [theme.breakpoints.down('sm')]: { margin: theme.spacing(1, 1, 0) },
  }),
});
