import { expect, test } from 'vitest';
import { classicQuery, contentionQueries, errorsQuery, type Scope } from './queries.ts';

const labels = { namespace: 'namespace', app: 'app', version: 'version', node: 'node' };
const everything: Scope = { labels, namespace: undefined, app: undefined, versions: [] };

test.each([
  ['every app', everything, ''],
  ['one app', { ...everything, app: 'a' }, 'app="a", '],
])('a selector over %s is a list without gaps', (_, scope, before) => {
  expect(errorsQuery(scope, false)).toContain(`_count{${before}code=~"5xx|grpc_error"}`);
  expect(errorsQuery(scope, true)).toContain(`_seconds{${before}code=~"5xx|grpc_error"}`);
  expect(classicQuery(scope, 'duration', ['0.1'])).toContain(`_bucket{${before}le=~"0\\\\.1|\\\\+Inf"}`);
  expect(contentionQueries(scope, false, 30).cpuPressureShare).toContain(
    `{${before}resource="cpu", kind="some"}[120s]`,
  );
});
