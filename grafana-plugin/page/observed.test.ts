import { expect, test } from 'vitest';
import type { AgentReport } from '../../agent/src/exposition/report.ts';
import type { AppAnswer, HistoryAnswer } from '../../agent/src/history/api.ts';
import type { ShownCell } from '../../agent/src/history/input.ts';
import { buildModel } from '../src/model/build.ts';
import { extended, subjectOf } from './feed.ts';
import type { Feed } from './feed.ts';
import { observedOf } from './observed.ts';
import { searchOf, wantedOf } from './wanted.ts';

const report: AgentReport = {
  node: 'n1',
  version: '1.0.0',
  notReady: null,
  historySeconds: 900,
  windowSeconds: 5,
  marginSeconds: 0.015,
  probes: [{ name: 'http', mode: 'full', isOverBudget: false, lacking: [] }],
  unknownRequests: 0,
  sources: [{ name: 'docker', up: true }],
};
const app = (name: string, versions: readonly string[], requests = 100): AppAnswer => ({
  namespace: 'shop',
  app: name,
  canary: versions[1] ?? null,
  baseline: versions.length > 1 ? (versions[0] ?? null) : null,
  versions: versions.map((version) => ({ version, firstSeen: 1000, requests })),
});
const cell = (arm: 'canary' | 'baseline'): ShownCell => ({
  node: 'n1',
  arm,
  requests: 10,
  errors: 0,
  codes: { '2xx': 8, '4xx': 2 },
  durations: { offset: -60, counts: [5, 5] },
  blame: [
    { culprit: { namespace: 'batch', app: 'reports', version: 'v7' }, seconds: 0.5 },
    { culprit: { namespace: 'unknown', app: 'unknown', version: 'unknown' }, seconds: 0.25 },
  ],
});
const history = (ends: readonly number[], change: Partial<HistoryAnswer> = {}): HistoryAnswer => ({
  namespace: 'shop',
  app: 'checkout',
  canary: 'v2',
  baseline: 'v1',
  foundBy: 'newest',
  begin: 1000,
  message: undefined,
  buckets: { schema: 3 },
  windowSeconds: 5,
  now: ends.at(-1) ?? 1000,
  windows: ends.map((end) => ({ end, cells: [cell('baseline'), cell('canary')] })),
  ...change,
});
const feed = (change: Partial<Feed> = {}): Feed => ({
  report,
  apps: [app('checkout', ['v1', 'v2', 'v3'])],
  history: history([1000, 1005, 1010]),
  ...change,
});
const said = (change: Partial<Feed>, wanted = {}) => {
  const { notice, remarks } = observedOf(feed(change), wanted);
  return [notice?.title, notice?.text, ...(notice?.remedies ?? []), ...remarks].join('\n');
};

test('the history is a run, with who is to blame and what else ran', () => {
  const { run, notice } = observedOf(feed(), {});
  expect(notice).toBeUndefined();
  expect(run).toMatchObject({
    canary: 'v2',
    foundBy: 'newest',
    otherVersions: ['v3'],
    errorsKnown: true,
    now: 1010,
  });
  expect(run?.windows[2]?.cells[1]).toMatchObject({ arm: 'canary', requests: 10, clientErrors: 2 });
  expect(run?.blame[0]).toEqual({ node: 'n1', arm: 'baseline', culprit: 'batch/reports v7', seconds: 0.5 });
  expect(run?.blame[1]?.culprit).toBe('unknown');
  const model = buildModel({ run, remarks: [] }, { quantile: 0.99, judge: {} });
  expect(model.signals.find(({ id }) => id === 'p50')?.canary).toBeCloseTo(2 ** (-60 / 8), 10);
});

test('zoomed in, only what lies in the range counts', () => {
  const { run } = observedOf(feed(), {}, { from: 1002, to: 1007 });
  expect(run?.windows.map(({ end }) => end)).toEqual([1005]);
  expect(run?.now).toBe(1007);
  expect(run?.blame).toHaveLength(4);
});

const reducedHttp = {
  name: 'http',
  mode: 'reduced',
  isOverBudget: false,
  lacking: [{ found: 'BTF: none', remedy: 'CONFIG_DEBUG_INFO_BTF=y' }],
} as const;

test.each<[string, Partial<Feed>, object, string]>([
  ['before the first answer', { report: undefined }, {}, 'Asking the agent …'],
  ['without an answer', { report: undefined, fault: 'No answer.' }, {}, 'The page goes on trying.'],
  [
    'a warming agent',
    { report: { ...report, notReady: 'no snapshot yet' }, apps: [], history: undefined },
    {},
    'The agent is warming up.\nNo snapshot yet.',
  ],
  [
    'no traffic',
    { apps: [], history: undefined },
    {},
    'No HTTP request was seen on this node in the last 15 min.',
  ],
  [
    'traffic without names',
    { report: { ...report, unknownRequests: 4812 }, apps: [], history: undefined },
    {},
    '4.81k requests were seen of cgroups that nobody gives a name.',
  ],
  ['one version', { apps: [app('checkout', ['v1'])] }, {}, 'Only v1 of checkout has traffic.'],
  [
    'an app that is gone',
    { apps: [app('cart', ['a'])] },
    { app: 'checkout' },
    'checkout has had no request in the last 15 min.\nIt may have been stopped, renamed, or moved to another node.\nChoose another app above: cart.',
  ],
  [
    'a version that is gone',
    { history: history([1000], { message: 'This node has seen no request of the canary lately.' }) },
    { app: 'checkout', canary: 'v9' },
    'A version that was chosen has no traffic.\nThis node has seen no request of the canary lately.',
  ],
  [
    'no probe of requests',
    { report: { ...report, probes: [{ ...reducedHttp, mode: 'none' }] } },
    {},
    'This node measures no requests.\nNo probe of HTTP is loaded.\nBTF: none (CONFIG_DEBUG_INFO_BTF=y)',
  ],
  [
    'a reduced probe',
    { report: { ...report, probes: [reducedHttp] } },
    {},
    'The probe http runs reduced on this node: BTF: none (CONFIG_DEBUG_INFO_BTF=y).',
  ],
  [
    'a probe over budget',
    {
      report: { ...report, probes: [...report.probes, { ...reducedHttp, name: 'tcp', isOverBudget: true }] },
    },
    {},
    'The probe tcp is switched off for now: the probes cost more than their budget.',
  ],
  [
    'a silent source of names',
    { report: { ...report, sources: [{ name: 'docker', up: false }] } },
    {},
    'docker does not answer',
  ],
])('%s is said in words', (_what, change, wanted, words) => {
  expect(said(change, wanted)).toContain(words);
});

test('new windows join the known ones, and old ones go', () => {
  const kept = history([100, 105]);
  const joined = extended(kept, history([110, 1001]), 900);
  expect(joined?.windows.map(({ end }) => end)).toEqual([105, 110, 1001]);
  // The agent was started anew, or picks other versions now: all is asked for again.
  expect(extended(kept, history([110], { begin: 2000 }), 900)).toBeUndefined();
  expect(extended(kept, history([110], { canary: 'v3' }), 900)).toBeUndefined();
});

test('of several apps the busiest with two versions is shown, and stays while another gets busier', () => {
  const apps = [app('a', ['v1'], 900), app('b', ['v1', 'v2'], 10), app('c', ['v1', 'v2'], 20)];
  expect(subjectOf(apps, {}, undefined)).toEqual({ namespace: 'shop', app: 'c' });
  expect(subjectOf(apps, {}, { namespace: 'shop', app: 'b' })).toEqual({ namespace: 'shop', app: 'b' });
  expect(subjectOf(apps, { app: 'a' }, { namespace: 'shop', app: 'b' })).toEqual({ app: 'a' });
  expect(subjectOf([], {}, undefined)).toBeUndefined();
});

test('what was chosen is in the address, and nothing else of it is taken', () => {
  const wanted = { namespace: 'shop', app: 'check&out', canary: 'v2' };
  expect(wantedOf(searchOf(wanted))).toEqual(wanted);
  expect(wantedOf('?app=&baseline=v1&theme=dark')).toEqual({ baseline: 'v1' });
  expect(searchOf({})).toBe('');
});
