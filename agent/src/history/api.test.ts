import { checkInput, type Verdict, type VerdictInput } from '@plumbline/verdict';
import { expect, test } from 'vitest';
import { createApi } from './api.ts';
import type { History, HistoryCell, HistoryWindow } from './history.ts';

const windowSeconds = 5;
const nowSeconds = 10_000;

const cell = (
  version: string,
  requests: number,
  { app = 'checkout', namespace = 'shop', index = -40, errors = 0 } = {},
): HistoryCell => {
  // Durations that spread over four buckets, as real ones do.
  const durations = {
    offset: index,
    counts: Uint32Array.from([0.4, 0.3, 0.2, 0.1].map((x) => x * requests)),
  };
  return {
    workload: { namespace, app, version },
    codes: { '2xx': requests - errors, '4xx': 0, '5xx': errors },
    durations,
    netDurations: durations,
    schedDelaySeconds: 0.01,
    runqueueP95Seconds: undefined,
    blame: undefined,
    cpuWait: undefined,
    figures: {},
  };
};

const historyOf = (count: number, cellsAt: (index: number) => readonly HistoryCell[]): History => {
  const windows = Array.from({ length: count }, (_, index): HistoryWindow => ({
    end: nowSeconds - (count - 1 - index) * windowSeconds,
    seconds: windowSeconds,
    cells: cellsAt(index),
    bytes: 0,
  }));
  return {
    windowSeconds,
    observe: () => undefined,
    windows: () => windows,
    begin: () => windows[0]?.end,
    stats: () => ({ bytes: 0, dropped: 0 }),
  };
};

const ask = (history: History, path: string, query: Readonly<Record<string, string>> | string = {}) => {
  const api = createApi({
    report: () => ({ node: 'n1' }),
    history,
    node: 'n1',
    options: { marginSeconds: 0 },
    now: () => nowSeconds * 1000,
  });
  return api(path, new URLSearchParams(query));
};
const verdictOf = (history: History, query: Readonly<Record<string, string>>) => {
  const answer = ask(history, '/api/v1/verdict', query);
  expect(answer?.status).toBe(200);
  return answer?.body as Verdict & { namespace: string | null; message: string };
};

const healthy = historyOf(60, () => [cell('v1', 2000), cell('v2', 1000)]);

test('apps with their versions, and which of them are compared', () => {
  const history = historyOf(3, (index) => [
    cell('v1', 10),
    ...(index > 0 ? [cell('v2', 5)] : []),
    cell('a', 1, { app: 'cart' }),
  ]);
  expect(ask(history, '/api/v1/apps')?.body).toEqual({
    node: 'n1',
    windowSeconds: 5,
    apps: [
      {
        namespace: 'shop',
        app: 'cart',
        canary: null,
        baseline: null,
        versions: [{ version: 'a', firstSeen: 9990, requests: 3 }],
      },
      {
        namespace: 'shop',
        app: 'checkout',
        canary: 'v2',
        baseline: 'v1',
        versions: [
          { version: 'v1', firstSeen: 9990, requests: 30 },
          { version: 'v2', firstSeen: 9995, requests: 10 },
        ],
      },
    ],
  });
});

test('the same code passes, and nobody has to name the versions', () => {
  expect(verdictOf(healthy, { app: 'checkout' })).toMatchObject({
    verdict: 'pass',
    canary: 'v2',
    baseline: 'v1',
    namespace: 'shop',
    grade: { name: 'matched', nodes: ['n1'] },
  });
});

test('a slower canary fails; seen from the other side, it is no failure', () => {
  const history = historyOf(60, () => [cell('v1', 2000), cell('v2', 2000, { index: -36 })]);
  expect(verdictOf(history, { app: 'checkout', canary: 'v2' }).verdict).toBe('fail');
  expect(verdictOf(history, { app: 'checkout', canary: 'v1' })).toMatchObject({
    verdict: 'pass',
    baseline: 'v2',
  });
});

test('a canary that answers with errors fails', () => {
  const history = historyOf(60, () => [cell('v1', 1000), cell('v2', 1000, { errors: 50 })]);
  expect(verdictOf(history, { app: 'checkout' })).toMatchObject({
    verdict: 'fail',
    reasons: ['ERRORS_WORSE'],
  });
});

test('the history is what `plumbline verdict` reads, with the codes besides, and may be had from a time on', () => {
  const input = checkInput(ask(healthy, '/api/v1/history', { app: 'checkout' })?.body);
  expect(input.windows).toHaveLength(60);
  expect(input.windows[0]?.cells).toEqual([
    expect.objectContaining({
      node: 'n1',
      arm: 'baseline',
      requests: 2000,
      codes: { '2xx': 2000, '4xx': 0, '5xx': 0 },
    }),
    expect.objectContaining({ node: 'n1', arm: 'canary', requests: 1000 }),
  ]);
  expect(ask(healthy, '/api/v1/history', { app: 'checkout' })?.body).toMatchObject({
    namespace: 'shop',
    foundBy: 'name',
    begin: nowSeconds - 59 * windowSeconds,
  });
  const since = ask(healthy, '/api/v1/history', { app: 'checkout', since: '9990' })?.body as VerdictInput;
  expect(since.windows.map(({ end }) => end)).toEqual([9995, 10_000]);
});

test.each([
  ['an app that was not seen', { app: 'card' }, 'It has seen: checkout.'],
  ['a canary that was not seen', { app: 'checkout', canary: 'v3' }, 'no request of the canary'],
  ['a baseline that was not seen', { app: 'checkout', baseline: 'v0' }, 'no request of the baseline'],
  ['another namespace', { app: 'checkout', namespace: 'bank' }, 'It has seen: checkout.'],
])('%s is inconclusive with status 200 and a message', (_what, query, message) => {
  const verdict = verdictOf(healthy, query);
  expect(verdict).toMatchObject({ verdict: 'inconclusive', code: 'inconclusive', delta: null });
  expect(verdict.message).toContain(message);
});

test('one version alone, and an empty history, are inconclusive', () => {
  const alone = historyOf(60, () => [cell('v1', 1000)]);
  expect(verdictOf(alone, { app: 'checkout' })).toMatchObject({
    verdict: 'inconclusive',
    baseline: 'v1',
    reasons: ['NO_CANARY_TRAFFIC'],
  });
  expect(
    verdictOf(
      historyOf(0, () => []),
      { app: 'checkout' },
    ).verdict,
  ).toBe('inconclusive');
});

test.each([
  ['', 'Expected app; /api/v1/apps tells which there are'],
  ['app=', 'Expected app to have 1 to 253 characters'],
  [`app=${'x'.repeat(254)}`, 'Expected app to have 1 to 253 characters'],
  ['app=a&app=b', 'Expected app once'],
  ['app=checkout&canary=v1&baseline=v1', 'Expected canary and baseline to be two versions, got the same'],
  ['app=checkout&base=v1', 'Expected only namespace, app, canary, baseline'],
  ['app=checkout&<script>=1', 'Expected only namespace, app, canary, baseline'],
])('?%s is a 400: %s', (query, error) => {
  expect(ask(healthy, '/api/v1/verdict', query)).toEqual({ status: 400, body: { error } });
});

test('a time that is none is a 400, and so is an app of two namespaces without a word which', () => {
  expect(ask(healthy, '/api/v1/history', 'app=checkout&since=noon')?.status).toBe(400);
  const twice = historyOf(3, () => [cell('v1', 1), cell('v1', 1, { namespace: 'bank' })]);
  expect(ask(twice, '/api/v1/verdict', 'app=checkout')).toEqual({
    status: 400,
    body: { error: 'Expected namespace, since several have this app: bank, shop' },
  });
  expect(ask(twice, '/api/v1/verdict', 'app=checkout&namespace=bank')?.status).toBe(200);
});

test('what the agent tells of itself, to whom asks for nothing more', () => {
  expect(ask(healthy, '/api/v1/agent')).toEqual({ status: 200, body: { node: 'n1' } });
  expect(ask(healthy, '/api/v1/agent', { app: 'checkout' })?.status).toBe(400);
});

test('other paths are not of this API', () => {
  expect(ask(healthy, '/api/v1/other')).toBeUndefined();
  expect(ask(healthy, 'constructor')).toBeUndefined();
});
