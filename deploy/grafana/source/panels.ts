// Titles, units and queries in; Grafana's panels out, placed from left to right.
import type { Role } from '../../../grafana-plugin/src/frames/roles.ts';
import { roleQuery } from './expressions.ts';

/** One query of a panel. */
export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
  readonly format?: 'time_series' | 'table' | 'heatmap';
  readonly instant?: boolean;
}

/** A panel before it has a place; further keys are Grafana's own. */
export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly w: number;
  readonly h: number;
  readonly targets?: readonly Target[];
  readonly [key: string]: unknown;
}

export const datasource = { type: 'prometheus', uid: '${datasource}' } as const;

/** A heading across the dashboard. */
export const row = (title: string): Panel => ({
  type: 'row',
  title,
  w: 24,
  h: 1,
  collapsed: false,
  panels: [],
});

/** What the canary panel wants to know; without the rest it judges just as well. */
const judged = [
  'durations',
  'net',
  'requests',
  'delay',
  'runqueue',
  'cpu',
  'stolen',
  'throttled',
  'pressure',
  'blame',
] as const;
const shown = ['memory', 'retransmits', 'failures'] as const;

/** The panel of this project, in full. */
export const canaryPanel = (
  title: string,
  size: { readonly w: number; readonly h: number },
  options: Readonly<Record<string, unknown>> = {},
  roles: readonly Role[] = [...judged, ...shown],
): Panel => ({
  type: 'plumbline-canary-panel',
  title,
  ...size,
  // Windows of less than 5 s are too short to judge, and of an hour more than these cannot be told apart on a screen.
  interval: '5s',
  maxDataPoints: 240,
  options: { app: '$app', canary: '$canary', baseline: '$baseline', layout: 'full', ...options },
  targets: roles.map((role) => ({ refId: role, expr: roleQuery(role) })),
});

/** The panel of this project as a badge, for each chosen app. */
export const badgePanel = (): Panel => ({
  ...canaryPanel('$app', { w: 8, h: 7 }, { layout: 'compact', canary: '', baseline: '' }, judged),
  repeat: 'app',
  repeatDirection: 'h',
  maxPerRow: 3,
  links: [
    {
      title: 'On call',
      url: '/d/plumbline-on-call?${namespace:queryparam}&var-app=${app}&${__url_time_range}',
    },
  ],
});

/** Lines over time. */
export const lines = (
  title: string,
  unit: string,
  description: string,
  targets: readonly Target[],
  { w = 8, stacked = false }: { readonly w?: number; readonly stacked?: boolean } = {},
): Panel => ({
  type: 'timeseries',
  title,
  description,
  ...{ w, h: 8, targets },
  fieldConfig: {
    defaults: {
      unit,
      min: 0,
      custom: {
        lineWidth: stacked ? 1 : 2,
        fillOpacity: stacked ? 40 : 0,
        showPoints: 'never',
        stacking: { mode: stacked ? 'normal' : 'none' },
      },
    },
    overrides: [],
  },
  options: {
    legend: { displayMode: 'list', placement: 'bottom', calcs: [] },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
});

/** A column of a table: the value of one query. */
export interface Column {
  readonly refId: string;
  readonly title: string;
  readonly unit: string;
  readonly expr: string;
  /** From where on it is orange, and red. */
  readonly limits?: readonly [number, number];
}

/** A row for each set of labels, a column for each query. */
export const table = (
  title: string,
  description: string,
  labels: Readonly<Record<string, string>>,
  columns: readonly Column[],
  { w = 24, h = 8, link }: { readonly w?: number; readonly h?: number; readonly link?: string } = {},
): Panel => {
  const shownLabels = Object.keys(labels);
  return {
    type: 'table',
    title,
    description,
    ...{ w, h },
    targets: columns.map(({ refId, expr }) => ({ refId, expr, format: 'table', instant: true })),
    transformations: [
      { id: 'merge', options: {} },
      {
        id: 'organize',
        options: {
          excludeByName: { Time: true },
          indexByName: Object.fromEntries(
            [...shownLabels, ...columns.map(valueName)].map((name, index) => [name, index]),
          ),
          renameByName: {
            ...labels,
            ...Object.fromEntries(columns.map((one) => [valueName(one), one.title])),
          },
        },
      },
    ],
    fieldConfig: {
      defaults: { custom: { align: 'auto' } },
      overrides: [
        ...columns.map(({ title: name, unit, limits }) => ({
          matcher: { id: 'byName', options: name },
          properties: [{ id: 'unit', value: unit }, ...(limits === undefined ? [] : coloured(limits))],
        })),
        ...(link === undefined
          ? []
          : [
              {
                matcher: { id: 'byName', options: 'App' },
                properties: [{ id: 'links', value: [{ title: 'On call', url: link }] }],
              },
            ]),
      ],
    },
    options: { cellHeight: 'sm', showHeader: true },
  };
};

const valueName = ({ refId }: Pick<Column, 'refId'>): string => `Value #${refId}`;

const coloured = ([orange, red]: readonly [number, number]): readonly object[] => [
  {
    id: 'thresholds',
    value: {
      mode: 'absolute',
      steps: [
        { color: 'text', value: null },
        { color: 'orange', value: orange },
        { color: 'red', value: red },
      ],
    },
  },
  { id: 'custom.cellOptions', value: { type: 'color-text' } },
];

/** One number, or one for each series. */
export const numbers = (
  title: string,
  unit: string,
  description: string,
  targets: readonly Target[],
  steps: readonly (readonly [color: string, from: number | null])[] = [['text', null]],
  w = 6,
): Panel => ({
  type: 'stat',
  title,
  description,
  ...{ w, h: 4, targets },
  fieldConfig: {
    defaults: {
      unit,
      thresholds: { mode: 'absolute', steps: steps.map(([color, value]) => ({ color, value })) },
    },
    overrides: [],
  },
  options: {
    reduceOptions: { calcs: ['lastNotNull'] },
    colorMode: 'value',
    graphMode: 'none',
    textMode: 'auto',
  },
});

/** Durations as they were spread, over time. */
export const heatmap = (title: string, description: string, expr: string): Panel => ({
  type: 'heatmap',
  title,
  description,
  ...{ w: 12, h: 9, maxDataPoints: 100 },
  targets: [{ refId: 'A', expr, format: 'heatmap', legendFormat: '{{le}}' }],
  options: {
    calculate: false,
    yAxis: { unit: 's' },
    color: { mode: 'scheme', scheme: 'Oranges', scale: 'exponential', exponent: 0.5, steps: 64 },
    cellGap: 0,
    tooltip: { mode: 'single', yHistogram: true },
  },
});

/** A curve over a label that is a number, as the bounds of buckets are. */
export const curveOver = (
  label: string,
  title: string,
  unit: string,
  description: string,
  targets: readonly Target[],
): Panel => ({
  type: 'trend',
  title,
  description,
  ...{ w: 24, h: 9 },
  targets: targets.map((target) => ({ ...target, format: 'table', instant: true })),
  transformations: [
    { id: 'merge', options: {} },
    { id: 'convertFieldType', options: { conversions: [{ targetField: label, destinationType: 'number' }] } },
    {
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        renameByName: Object.fromEntries(
          targets.map(({ refId, legendFormat = refId }) => [valueName({ refId }), legendFormat]),
        ),
      },
    },
    { id: 'sortBy', options: { sort: [{ field: label }] } },
  ],
  fieldConfig: {
    defaults: { unit, custom: { lineInterpolation: 'stepBefore', lineWidth: 2 } },
    overrides: [],
  },
  options: { xField: label, legend: { displayMode: 'list', placement: 'bottom' } },
});
