// Panels and variables in; a dashboard as Grafana's provisioning reads it out.
import { durations } from './expressions.ts';
import { datasource, type Panel } from './panels.ts';

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly time: string;
  readonly variables: readonly object[];
  readonly panels: readonly Panel[];
}

/** Returns the JSON model. Panels flow from left to right; a panel that does not fit starts a line. */
export const dashboard = ({ uid, title, description, time, variables, panels }: Dashboard): object => ({
  uid,
  title,
  description,
  tags: ['plumbline'],
  schemaVersion: 39,
  editable: true,
  graphTooltip: 1,
  refresh: '15s',
  time: { from: `now-${time}`, to: 'now' },
  templating: { list: variables },
  links: [
    {
      type: 'dashboards',
      title: 'Plumbline',
      tags: ['plumbline'],
      asDropdown: false,
      includeVars: true,
      keepTime: true,
    },
  ],
  annotations: { list: [] },
  panels: placed(panels),
});

const placed = (panels: readonly Panel[]): readonly object[] => {
  let [x, y, lineHeight] = [0, 0, 0];
  return panels.map(({ w, h, targets, ...panel }, index) => {
    if (x + w > 24) [x, y, lineHeight] = [0, y + lineHeight, 0];
    const gridPos = { x, y, w, h };
    [x, lineHeight] = [x + w, Math.max(lineHeight, h)];
    const asked =
      targets === undefined
        ? {}
        : {
            datasource,
            targets: targets.map((target) => ({
              datasource,
              editorMode: 'code',
              range: target.instant !== true,
              ...target,
            })),
          };
    return { id: index + 1, gridPos, ...panel, ...asked };
  });
};

/** Any of these exists where requests are counted, as classic or as native histograms. */
const counted = `{__name__=~"${durations}(_count)?"`;

const query = (name: string, label: string, expr: string, more: object): object => ({
  type: 'query',
  name,
  label,
  datasource,
  query: { query: expr, refId: name },
  definition: expr,
  refresh: 2,
  sort: 1,
  ...more,
});

const any = { includeAll: true, allValue: '.*', current: { text: 'All', value: '$__all' } };

export const datasourceVariable = {
  type: 'datasource',
  name: 'datasource',
  label: 'Prometheus',
  query: 'prometheus',
} as const;

export const namespaceVariable = query('namespace', 'Namespace', `label_values(${counted}}, namespace)`, {
  ...any,
  multi: true,
});

/** The app, or several where `multi`. What has no name is no app. */
export const appVariable = (multi: boolean): object =>
  query('app', 'App', `label_values(${counted}, namespace=~"$namespace"}, app)`, {
    regex: '/^(?!unknown$).*/',
    ...(multi ? { ...any, multi } : {}),
  });

/**
 * A version. Where it may be found from the data, "All" means just that: the canary panel takes it so, and others
 * show all versions. Where it may not, the first of the list is taken: the highest for the canary.
 */
export const versionVariable = (name: 'canary' | 'baseline', isFound: boolean): object =>
  query(
    name,
    name === 'canary' ? 'Canary' : 'Baseline',
    `label_values(${counted}, namespace=~"$namespace", app="$app"}, version)`,
    { sort: name === 'canary' ? 8 : 7, ...(isFound ? any : {}) },
  );

export const nodeVariable = query(
  'node',
  'Node',
  `label_values(${counted}, namespace=~"$namespace", app="$app"}, node)`,
  { ...any, multi: true },
);
