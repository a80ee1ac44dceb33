// A model in; the whole panel, at any size, out. Knows nothing of frames: the agent's page draws the same.
import { css } from '@emotion/css';
import type { GrafanaTheme2 } from '@grafana/data';
import { useStyles2 } from '@grafana/ui';
import type { CanaryModel } from '../model/model.ts';
import type { Section } from '../options.ts';
import { CompactView } from './CompactView.tsx';
import { firstNodes, NodesTable } from './NodesTable.tsx';
import { NoticeView } from './NoticeView.tsx';
import { OverlayChart } from './OverlayChart.tsx';
import { SignalsTable } from './SignalsTable.tsx';
import { StripChart } from './StripChart.tsx';
import type { ChartContext } from './TimeChart.tsx';
import { VerdictHeader } from './VerdictHeader.tsx';

export interface CanaryViewProps {
  readonly model: CanaryModel;
  readonly context: ChartContext;
  readonly width: number;
  readonly height: number;
  readonly layout: 'full' | 'compact';
  readonly sections: readonly Section[];
}

/** From this width on, tables stand beside the charts instead of below them. */
const wide = 1100;
/** About what badge, sentence and facts take. */
const headerHeight = 190;

export function CanaryView({ model, context, width, height, layout, sections }: CanaryViewProps) {
  const styles = useStyles2(getStyles);
  if (layout === 'compact') return <CompactView model={model} width={width} height={height} />;
  const { names, overlay, strip, signals, nodes, notice } = model;
  const shows = (section: Section): boolean => sections.includes(section);
  const hasSignals = shows('signals') && signals.length > 0;
  const hasNodes = shows('nodes') && nodes.length > 0;
  const isWide = width >= wide && hasSignals;
  const chartWidth = Math.floor(isWide ? width * 0.56 - 16 : width);
  const tableWidth = isWide ? width - chartWidth - 16 : width;
  // Beside the table the charts take what header and nodes leave, and together as much as the table needs.
  const left = height - headerHeight - (hasNodes ? nodesHeight(nodes.length) : 0);
  const charts = Math.max(left, signalsHeight(signals.length));
  const overlayHeight = isWide ? clamp(charts * 0.58, 170, 760) : clamp(height * 0.3, 170, 420);
  const stripHeight = isWide ? clamp(charts * 0.42, 140, 560) : clamp(height * 0.22, 140, 320);
  const hasStrip = shows('strip') && strip !== null;
  return (
    <div className={styles.view} style={{ width, height }} data-testid="plumbline-canary">
      <VerdictHeader model={model} />
      {notice && <NoticeView notice={notice} />}
      {names && (
        <div className={styles.body} style={isWide ? { flexDirection: 'row' } : {}}>
          <div className={styles.column}>
            {shows('overlay') && overlay && (
              <OverlayChart
                {...{ overlay, names, context }}
                width={chartWidth}
                height={overlayHeight}
                hasTimeAxis={!hasStrip}
              />
            )}
            {hasStrip && <StripChart {...{ strip, context }} width={chartWidth} height={stripHeight} />}
          </div>
          {hasSignals && (
            <div className={styles.column} style={{ width: tableWidth }}>
              <SignalsTable rows={signals} names={names} width={tableWidth} />
            </div>
          )}
        </div>
      )}
      {names && hasNodes && <NodesTable rows={nodes} metric={overlay?.metric ?? ''} width={width} />}
    </div>
  );
}

/** About what the tables take: title, head and rows. */
function nodesHeight(rows: number): number {
  return 70 + 27 * Math.min(rows, firstNodes);
}

function signalsHeight(rows: number): number {
  return 50 + 29 * rows;
}

function clamp(value: number, low: number, high: number): number {
  return Math.round(Math.min(high, Math.max(low, value)));
}

const getStyles = (theme: GrafanaTheme2) => ({
  view: css({
    display: 'flex',
    flexDirection: 'column',
    gap: theme.spacing(1.25),
    overflowX: 'hidden',
    overflowY: 'auto',
    color: theme.colors.text.primary,
    '.sr-only': { position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)' },
  }),
  body: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2), minWidth: 0 }),
  column: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(1.5), minWidth: 0 }),
});
