// The dashboard for those who ask: which rollouts are under way, and are they well?
import { appVariable, dashboard, datasourceVariable, namespaceVariable } from './dashboard.ts';
import { delayShare, durations, errorRatio, netDurations, observations, quantile } from './expressions.ts';
import { badgePanel, numbers, row, table } from './panels.ts';

const scope = 'namespace=~"$namespace", app=~"$app"';
const by = 'namespace, app, version';
const range = '[$__range]';
const requests = observations(durations, by, scope, range);

export const executive = dashboard({
  uid: 'plumbline-executive',
  title: 'Plumbline: rollouts',
  description: 'Every app with its verdict, and how its traffic is split between versions.',
  time: '1h',
  variables: [datasourceVariable, namespaceVariable, appVariable(true)],
  panels: [
    numbers('Apps', 'none', 'Apps that answered a request in this time range.', [
      { refId: 'A', expr: `count(count by (namespace, app) (${requests} > 0)) or vector(0)`, instant: true },
    ]),
    numbers('Rollouts', 'none', 'Apps of which more than one version answered a request.', [
      {
        refId: 'A',
        expr: `count(count by (namespace, app) (${requests} > 0) > 1) or vector(0)`,
        instant: true,
      },
    ]),
    numbers('Requests', 'reqps', 'Answered by these apps.', [
      { refId: 'A', expr: `sum(${observations(durations, 'app', scope)})` },
    ]),
    numbers(
      'Errors',
      'percentunit',
      'Share of answers of class 5xx and of failed gRPC calls.',
      [{ refId: 'A', expr: errorRatio('', scope) }],
      [
        ['text', null],
        ['orange', 0.01],
        ['red', 0.05],
      ],
    ),
    row('Verdicts'),
    badgePanel(),
    row('Versions'),
    table(
      'Traffic split',
      'Each version over the time range. Net: less the time that requests waited for a CPU.',
      { namespace: 'Namespace', app: 'App', version: 'Version' },
      [
        { refId: 'requests', title: 'Requests', unit: 'reqps', expr: requests },
        {
          refId: 'share',
          title: 'Share',
          unit: 'percentunit',
          expr: `${requests} / ignoring (version) group_left sum without (version) (${requests})`,
        },
        {
          refId: 'errors',
          title: 'Errors',
          unit: 'percentunit',
          expr: errorRatio(by, scope, range),
          limits: [0.01, 0.05],
        },
        { refId: 'p99', title: 'p99', unit: 's', expr: quantile(0.99, durations, by, scope, range) },
        { refId: 'net', title: 'Net p99', unit: 's', expr: quantile(0.99, netDurations, by, scope, range) },
        {
          refId: 'delay',
          title: 'CPU wait',
          unit: 'percentunit',
          expr: delayShare(by, scope, range),
          limits: [0.1, 0.3],
        },
      ],
      {
        h: 10,
        link: '/d/plumbline-on-call?var-namespace=${__data.fields.Namespace}&var-app=${__data.fields.App}&${__url_time_range}',
      },
    ),
  ],
});
