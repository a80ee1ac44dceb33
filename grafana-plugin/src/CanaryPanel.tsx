// What Grafana gives a panel in; the view of it out.
import { DashboardCursorSync, LoadingState } from '@grafana/data';
import type { PanelData, PanelProps } from '@grafana/data';
import { usePanelContext } from '@grafana/ui';
import { useId, useMemo } from 'react';
import { CanaryView } from './components/CanaryView.tsx';
import type { ChartContext } from './components/TimeChart.tsx';
import { observe } from './frames/observe.ts';
import { marksOf } from './marks.ts';
import { buildModel } from './model/build.ts';
import type { Observed } from './model/run.ts';
import { viewSettings } from './options.ts';
import type { CanaryOptions } from './options.ts';

export function CanaryPanel(props: PanelProps<CanaryOptions>) {
  const { data, options, timeRange, timeZone, width, height, replaceVariables, onChangeTimeRange, eventBus } =
    props;
  const { sync, eventsScope } = usePanelContext();
  const ownKey = useId();
  const [app, canary, baseline] = [options.app, options.canary, options.baseline].map((text) => {
    const value = replaceVariables(text).trim();
    return value === '' || value.startsWith('$') || value.startsWith('{') || value === '.*' ? '' : value;
  });
  const observed = useMemo(
    () =>
      observeData(data, {
        app,
        canary,
        baseline,
        roles: options.roles,
        higherIsBetter: options.higherIsBetter,
      }),
    [data, app, canary, baseline, options.roles, options.higherIsBetter],
  );
  const model = useMemo(() => buildModel(observed, viewSettings(options)), [observed, options]);
  const [from, to] = [timeRange.from.valueOf(), timeRange.to.valueOf()];
  const cursorSync = sync?.() ?? DashboardCursorSync.Off;
  const context = useMemo(
    (): ChartContext => ({
      from,
      to,
      timeZone,
      eventBus,
      onZoom: onChangeTimeRange,
      marks: marksOf(data),
      hasSharedTooltip: cursorSync === DashboardCursorSync.Tooltip,
      // The charts of one panel always move together, those of a dashboard when it says so.
      syncKey: cursorSync === DashboardCursorSync.Off ? ownKey : eventsScope,
    }),
    [from, to, timeZone, eventBus, onChangeTimeRange, data, cursorSync, eventsScope, ownKey],
  );
  const { layout, sections } = options;
  return <CanaryView {...{ model, context, width, height, layout, sections }} />;
}

function observeData(
  data: PanelData,
  wanted: Record<'app' | 'canary' | 'baseline', string | undefined> & {
    roles: string;
    higherIsBetter: string;
  },
): Observed {
  const errors = data.errors ?? [];
  if (errors.length > 0 || data.state === LoadingState.Error) return failedQuery(errors);
  if (data.state === LoadingState.Loading && data.series.length === 0) return loading;
  const { app = '', canary = '', baseline = '', roles, higherIsBetter } = wanted;
  return observe(data.series, {
    ...{ app, canary, baseline, roles, higherIsBetter },
    asked: data.request?.targets.filter(({ hide }) => hide !== true).map(({ refId }) => refId) ?? [],
    now: Math.min(Date.now(), data.timeRange.to.valueOf()) / 1000,
  });
}

const loading: Observed = {
  notice: {
    kind: 'empty',
    title: 'Asking Prometheus …',
    text: 'The first answer is on its way.',
    remedies: [],
  },
  remarks: [],
};

/** With one answer missing, the others could be half the truth: nothing is judged. */
function failedQuery(errors: NonNullable<PanelData['errors']>): Observed {
  const texts = errors.map(({ refId, message, data, statusText }) => {
    const said = message ?? data?.message ?? data?.error ?? statusText ?? 'no reason given';
    return refId === undefined ? said : `Query "${refId}": ${said}`;
  });
  return {
    notice: {
      kind: 'error',
      title: 'Prometheus could not be asked.',
      text: [...new Set(texts)].slice(0, 3).join(' ') || 'The data source gave no reason.',
      remedies: [
        'Check the data source under Connections, with "Save & test".',
        'If a query takes too long, choose a shorter time range or a larger "Min step".',
      ],
    },
    remarks: [],
  };
}
