import { describe, expect, test } from 'vitest';
import { compare, scopeOf } from './discover.ts';
import { requestsQuery } from './queries.ts';

const labels = { namespace: 'namespace', app: 'app', version: 'version', node: 'node' };
const steps = { begin: 0, end: 3600, seconds: 60 };

/** A version that came at `since` and answers `perStep` requests a step. */
const version = (name: string, since: number, perStep: number, namespace = 'shop') => ({
  metric: { version: name, node: 'n1', namespace },
  values: Array.from(
    { length: (3600 - since) / 60 + 1 },
    (_, i) => [since + 60 * i, String(perStep * i)] as const,
  ),
});

describe('what is compared, when nobody said it', () => {
  test('is the newest version with the busiest of the others', () => {
    const seen = [version('v1', 0, 10), version('v2', 0, 900), version('v3', 1800, 100)];
    expect(compare({ app: 'a' }, labels, steps, seen)).toMatchObject({
      namespace: 'shop',
      canary: 'v3',
      baseline: 'v2',
      canarySince: 1800,
      obstacle: undefined,
    });
  });

  test('leaves what was said as it is', () => {
    const seen = [version('v1', 0, 10), version('v2', 0, 900), version('v3', 1800, 100)];
    expect(compare({ app: 'a', canary: 'v1' }, labels, steps, seen)).toMatchObject({ baseline: 'v2' });
    expect(compare({ app: 'a', baseline: 'v3' }, labels, steps, seen)).toMatchObject({ canary: 'v2' });
  });

  test('has to be one namespace', () => {
    const seen = [version('v1', 0, 10, 'a'), version('v2', 0, 10, 'b')];
    expect(compare({ app: 'a' }, labels, steps, seen).obstacle?.reason).toBe('NAMESPACE_NEEDED');
  });

  test('is nothing where pods have no version', () => {
    expect(compare({ app: 'a' }, labels, steps, [version('', 0, 10)]).obstacle).toEqual({
      reason: 'NO_TRAFFIC',
      message: 'No request of "a" has a label version.',
    });
  });

  test('is nothing where nobody knows the app', () => {
    expect(compare({ app: 'a' }, labels, steps, []).obstacle).toEqual({
      reason: 'NO_TRAFFIC',
      message: 'Prometheus has no request of an app "a" in this time.',
    });
  });

  test('says which versions there are when the one asked for is not', () => {
    expect(
      compare({ app: 'a', canary: 'v2', baseline: 'v0' }, labels, steps, [version('v2', 0, 1)]).obstacle,
    ).toEqual({
      reason: 'NO_BASELINE',
      message: 'Without a request in this time: v0. Versions with requests: v2.',
    });
  });
});

test('where versions are apps, as with Flagger, the app label is the version', () => {
  const scope = scopeOf({ app: 'pod', by: 'app', canary: 'pod', baseline: 'pod-primary' }, labels);
  expect(requestsQuery(scope, false)).toBe(
    'sum by (namespace, app, node) (plumbline_http_request_duration_seconds_count{app=~"pod|pod-primary"})',
  );
});

test('names go into a query as values and cannot leave their quotes', () => {
  const scope = { ...scopeOf({ app: 'a"} or vector(1) #' }, labels), versions: ['v1.2', 'x"|y\\'] };
  expect(requestsQuery(scope, true)).toBe(
    'sum by (namespace, version, node) (histogram_count(plumbline_http_request_duration_seconds{app="a\\"} or vector(1) #", version=~"v1\\\\.2|x\\"\\\\|y\\\\\\\\"}))',
  );
});
