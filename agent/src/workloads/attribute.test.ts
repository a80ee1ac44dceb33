import { describe, expect, it } from 'vitest';
import { createAttribution } from './attribute.ts';
import { createStaticSource } from './static.ts';

const rule = (cgroup: string, app: string) => ({ cgroup, namespace: 'n', app, version: 'v' });
const named = (name: string, ...rules: readonly [string, string][]) => ({
  ...createStaticSource(rules.map(([cgroup, app]) => rule(cgroup, app))),
  name,
});

const attribute = createAttribution([
  named('first', ['demo/*', '$1'], ['demo/v3/special', 'special'], ['system.slice', 'system'], ['/', 'root']),
  named('second', ['demo/v1', 'never'], ['system.slice/docker-*', '$1'], ['other', 'other']),
]);

describe('attribution', () => {
  it.each([
    ['a cgroup by its own name', '/demo/v1', 'v1', 'first'],
    ['a cgroup that the service made inside its own', '/demo/v1/worker/2', 'v1', 'first'],
    ['a nested cgroup that a rule names', '/demo/v3/special', 'special', 'first'],
    ['what lies in that one', '/demo/v3/special/deep', 'special', 'first'],
    ['the nearest, though an earlier source names an ancestor', '/system.slice/docker-web', 'web', 'second'],
    ['the rest of that ancestor', '/system.slice/cron.service', 'system', 'first'],
    ['by a later source where the first is silent', '/other/x', 'other', 'second'],
    ['the root by a rule of its own', '/', 'root', 'first'],
  ])('names %s', (_, path, app, source) => {
    const expected = { workload: { namespace: 'n', app, version: 'v' }, source };
    expect(attribute(path)).toEqual(expected);
    expect(attribute(path)).toEqual(expected);
  });

  it.each(['/elsewhere', '/elsewhere/deep', '/demo'])(
    'leaves %s unknown, whatever names the root',
    (path) => {
      expect(attribute(path)).toBeUndefined();
      expect(attribute(path)).toBeUndefined();
    },
  );

  it('asks the sources once for each cgroup', () => {
    const asked: string[] = [];
    const once = createAttribution([{ name: 'spy', workloadAt: (path) => (asked.push(path), undefined) }]);
    for (const path of ['/a/b', '/a/c', '/a/b', '/a', '/a/b/d']) once(path);
    expect(asked).toEqual(['/a/b', '/a', '/a/c', '/a/b/d']);
  });
});
