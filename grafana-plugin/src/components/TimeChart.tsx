// Series over time in; a plot with crosshair, tooltip, zoom and keyboard out, on Grafana's own uPlot components.
import { css } from '@emotion/css';
import type { EventBus, GrafanaTheme2 } from '@grafana/data';
import {
  AxisPlacement,
  DashboardCursorSync,
  GraphDrawStyle,
  ScaleDirection,
  ScaleOrientation,
  VisibilityMode,
} from '@grafana/schema';
import {
  EventBusPlugin,
  KeyboardPlugin,
  TooltipPlugin2,
  UPlotChart,
  UPlotConfigBuilder,
  useStyles2,
  useTheme2,
} from '@grafana/ui';
import { useMemo, useRef } from 'react';
import type { ReactNode } from 'react';
import type uPlot from 'uplot';

/** What surrounds a chart: its time range (ms), and how it acts together with others. */
export interface ChartContext {
  readonly from: number;
  readonly to: number;
  readonly timeZone: string;
  readonly onZoom?: (range: { readonly from: number; readonly to: number }) => void;
  readonly eventBus?: EventBus;
  /** Plots with the same key share their crosshair. */
  readonly syncKey: string;
  /** Whether the tooltip follows the crosshair in other plots. */
  readonly hasSharedTooltip: boolean;
  /** Rollouts, deploys, exemplars: moments (ms) with a text. */
  readonly marks: readonly Mark[];
}

export interface Mark {
  readonly time: number;
  readonly text: string;
  readonly color?: string;
  /** Seconds; drawn at this height where the axis is one of seconds. */
  readonly value?: number;
}

export interface Line {
  readonly label: string;
  readonly values: readonly (number | null)[];
  readonly color: string;
  readonly width: number;
  readonly dash?: readonly number[];
  readonly isHidden?: boolean;
}

/** A line across the whole chart; its text stands above or below. */
export interface Level {
  readonly value: number;
  readonly text: string;
  readonly color: string;
  readonly isTextBelow?: boolean;
}

interface Props {
  readonly label: string;
  /** Unix seconds. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  /** Areas between two lines, by index; the first lies above. */
  readonly bands: readonly { readonly upper: number; readonly lower: number; readonly color: string }[];
  readonly levels?: readonly Level[];
  readonly range: (min: number, max: number) => [number, number];
  readonly format: (value: number) => string;
  readonly tooltip: (index: number) => ReactNode;
  readonly context: ChartContext;
  readonly width: number;
  readonly height: number;
  readonly hasTimeAxis: boolean;
}

/** Width of the value axis: the same in all charts, so that moments lie above each other. */
const axisWidth = 64;

/** TooltipHoverMode.xAll; Grafana does not export the enum. */
type HoverMode = Parameters<typeof TooltipPlugin2>[0]['hoverMode'];
const allSeries = 1 as unknown as HoverMode;

export function TimeChart(props: Props) {
  const { label, times, lines, context, width, height, tooltip } = props;
  const theme = useTheme2();
  const styles = useStyles2(getStyles);
  const latest = useRef(props);
  latest.current = props;
  // The plot is made anew only when its looks change; new data flows into the old one.
  const looks = JSON.stringify([
    lines.map(({ color, width, dash, isHidden }) => [color, width, dash, isHidden]),
    props.bands,
    props.hasTimeAxis,
    context.timeZone,
    context.syncKey,
    context.hasSharedTooltip,
  ]);
  const config = useMemo(() => configOf(latest, theme), [looks, theme]);
  const data = useMemo(
    () =>
      [
        times.map((time) => time * 1000),
        ...lines.map(({ values }) => values),
      ] as unknown as uPlot.AlignedData,
    [times, lines, context.from, context.to, props.levels],
  );
  return (
    <div className={styles.chart} role="group" aria-label={label}>
      <UPlotChart config={config} data={data} width={width} height={height}>
        <KeyboardPlugin config={config} />
        {context.eventBus && <EventBusPlugin config={config} eventBus={context.eventBus} />}
        <TooltipPlugin2
          config={config}
          hoverMode={allSeries}
          syncMode={context.hasSharedTooltip ? DashboardCursorSync.Tooltip : DashboardCursorSync.Crosshair}
          syncScope={context.syncKey}
          {...(context.onZoom ? { queryZoom: context.onZoom } : {})}
          render={(_, indices) => {
            const index = indices.find((one) => one !== null);
            return index === undefined ? null : <div className={styles.tooltip}>{tooltip(index)}</div>;
          }}
        />
      </UPlotChart>
    </div>
  );
}

function configOf(latest: { readonly current: Props }, theme: GrafanaTheme2): UPlotConfigBuilder {
  const { lines, bands, context, hasTimeAxis } = latest.current;
  const builder = new UPlotConfigBuilder(context.timeZone);
  builder.addScale({
    scaleKey: 'x',
    isTime: true,
    orientation: ScaleOrientation.Horizontal,
    direction: ScaleDirection.Right,
    range: () => [latest.current.context.from, latest.current.context.to],
  });
  builder.addScale({
    scaleKey: 'y',
    orientation: ScaleOrientation.Vertical,
    direction: ScaleDirection.Up,
    range: (_, min, max) => latest.current.range(min, max),
  });
  builder.addAxis({
    scaleKey: 'x',
    isTime: true,
    placement: AxisPlacement.Bottom,
    show: hasTimeAxis,
    timeZone: context.timeZone,
    theme,
    grid: { show: true },
  });
  builder.addAxis({
    scaleKey: 'y',
    placement: AxisPlacement.Left,
    theme,
    size: axisWidth,
    formatValue: (value: number) => latest.current.format(value),
  });
  lines.forEach(({ color, width, dash, isHidden = false }) => {
    builder.addSeries({
      scaleKey: 'y',
      theme,
      drawStyle: GraphDrawStyle.Line,
      lineColor: color,
      lineWidth: width,
      ...(dash ? { lineStyle: { fill: 'dash', dash: [...dash] } } : {}),
      showPoints: VisibilityMode.Never,
      pointSize: 5,
      pointColor: color,
      spanNulls: false,
      show: !isHidden,
    });
  });
  // uPlot counts the time as series 0.
  for (const { upper, lower, color } of bands)
    builder.addBand({ series: [upper + 1, lower + 1], fill: color });
  builder.setCursor({
    sync: { key: context.syncKey, scales: ['x', null] },
    drag: { x: true, y: false, setScale: false },
    points: { show: true },
  });
  builder.setPadding([8, 8, hasTimeAxis ? null : 4, 0]);
  builder.addHook('drawAxes', (plot) => {
    drawLevels(plot, latest.current.levels ?? []);
  });
  builder.addHook('draw', (plot) => {
    drawMarks(plot, latest.current.context.marks, theme);
  });
  return builder;
}

function drawLevels(plot: uPlot, levels: readonly Level[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.font = `${11 * devicePixelRatio}px Inter, Helvetica, Arial, sans-serif`;
  for (const { value, text, color, isTextBelow = false } of levels) {
    const y = Math.round(plot.valToPos(value, 'y', true)) + 0.5;
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.strokeStyle = color;
    ctx.fillStyle = color;
    ctx.setLineDash(text === '' ? [] : [4 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.textAlign = 'right';
    ctx.textBaseline = isTextBelow ? 'top' : 'bottom';
    const gap = (isTextBelow ? 4 : -3) * devicePixelRatio;
    ctx.fillText(text, bbox.left + bbox.width - 4 * devicePixelRatio, y + gap);
  }
  ctx.restore();
}

function drawMarks(plot: uPlot, marks: readonly Mark[], theme: GrafanaTheme2): void {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const { time, color = theme.colors.text.secondary, value } of marks) {
    const x = plot.valToPos(time, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = color;
    ctx.fillStyle = color;
    ctx.beginPath();
    if (value === undefined) {
      ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    } else {
      const [y, r] = [plot.valToPos(value, 'y', true), 4 * devicePixelRatio];
      if (y >= bbox.top && y <= bbox.top + bbox.height) {
        ctx.moveTo(x, y - r);
        ctx.lineTo(x + r, y);
        ctx.lineTo(x, y + r);
        ctx.lineTo(x - r, y);
        ctx.fill();
      }
    }
  }
  ctx.restore();
}

const getStyles = (theme: GrafanaTheme2) => ({
  chart: css({ flex: 'none', minWidth: 0 }),
  tooltip: css({ padding: theme.spacing(1), fontSize: theme.typography.bodySmall.fontSize }),
});
