import { expect, test } from 'vitest';
import { readdirSync, readFileSync } from 'node:fs';
import { meaningOf } from '../../../grafana-plugin/src/frames/roles.ts';
import { dashboards } from './dashboards.ts';

interface Target {
  readonly refId: string;
  readonly expr: string;
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly Target[];
  readonly options?: Readonly<Record<string, unknown>>;
}
interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const fileOf = (name: string) => new URL(`../dashboards/${name}.json`, import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(fileOf(name), 'utf8')) as Dashboard;
const expressionsOf = ({ panels, templating }: Dashboard): readonly string[] => [
  ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...templating.list.flatMap(({ definition }) => definition ?? []),
];

const panelTypes = new Set([
  ...['row', 'timeseries', 'stat', 'table', 'heatmap', 'trend'],
  'plumbline-canary-panel',
]);
const builtInVariables = new Set(['__rate_interval', '__range', '__url_time_range', '__data']);

/** Every name that the agent's source gives to a metric. */
const exportedMetrics = (): ReadonlySet<string> => {
  const root = new URL('../../../agent/src/', import.meta.url);
  const names = new Set<string>();
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
    const text = readFileSync(new URL(file, root), 'utf8');
    for (const [name] of text.matchAll(/\bplumbline_[a-z0-9_]+/g)) names.add(name);
    for (const [, name = ''] of text.matchAll(/\b(?:gauge|counter)\(\s*'([a-z0-9_]+)'/g))
      names.add(`plumbline_${name}`);
  }
  return names;
};

/** Of probes that are on their way. */
const coming = /^plumbline_(tcp|runqueue|cpu|pressure|memory|block_io)_/;

test.each(Object.keys(dashboards))('%s.json is what its source says: npm run build:dashboards', (name) => {
  expect(read(name)).toEqual(JSON.parse(JSON.stringify(dashboards[name])));
});

test.each(Object.keys(dashboards))(
  '%s has known panels, each in a place of its own, with queries told apart',
  (name) => {
    const { panels } = read(name);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { type, title, gridPos, targets = [], datasource } of panels) {
      expect(panelTypes, title).toContain(type);
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x},${y}`), `${title} lies on another panel`).toBe(false);
          taken.add(`${x},${y}`);
        }
      }
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
      if (targets.length > 0) expect(datasource?.uid, title).toBe('${datasource}');
    }
  },
);

test.each(Object.keys(dashboards))(
  'the canary panels of %s give every query a role that the panel knows',
  (name) => {
    const canaryPanels = read(name).panels.filter(({ type }) => type === 'plumbline-canary-panel');
    expect(canaryPanels).not.toEqual([]);
    for (const { targets = [] } of canaryPanels) {
      const roles = targets.map(({ refId }) => meaningOf(refId, new Map()));
      expect(roles.every((role) => role?.kind === 'role')).toBe(true);
      expect(targets.map(({ refId }) => refId)).toEqual(
        expect.arrayContaining(['durations', 'net', 'requests']),
      );
    }
  },
);

test.each(Object.keys(dashboards))('%s asks for metrics that the agent exports, and for no other', (name) => {
  const exported = exportedMetrics();
  const asked = expressionsOf(read(name)).flatMap((expr) =>
    [...expr.matchAll(/plumbline_[a-z0-9_]+/g)].flat(),
  );
  expect(asked.length).toBeGreaterThan(5);
  const base = (metric: string) =>
    exported.has(metric) ? metric : metric.replace(/_(bucket|count|sum)$/, '');
  expect(
    [...new Set(asked.map(base))].filter((metric) => !exported.has(metric) && !coming.test(metric)),
  ).toEqual([]);
});

test.each(Object.keys(dashboards))('every variable that %s uses is declared', (name) => {
  const declared = new Set(read(name).templating.list.map((variable) => variable.name));
  const used = [...readFileSync(fileOf(name), 'utf8').matchAll(/\$\{?([a-z_]+)/gi)].map(
    ([, variable = '']) => variable,
  );
  expect(used.filter((variable) => !declared.has(variable) && !builtInVariables.has(variable))).toEqual(
    used.filter((variable) => variable === '__all'),
  );
});
