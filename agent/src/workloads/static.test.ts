import { describe, expect, it } from 'vitest';
import { createStaticSource } from './static.ts';

const source = createStaticSource([
  { cgroup: 'demo/canary', namespace: 'demo', app: 'shop', version: 'v2' },
  { cgroup: 'demo/*', namespace: 'demo', app: 'shop', version: '$1' },
  { cgroup: '**/*@*.service', namespace: 'host', app: '$2', version: '$3' },
  { cgroup: 'batch/**', namespace: 'batch', app: 'job', version: '$1' },
]);

describe('the static table', () => {
  it.each([
    ['the first rule that matches', '/demo/canary', 'demo', 'shop', 'v2'],
    ['the next rule otherwise', '/demo/v1', 'demo', 'shop', 'v1'],
    ['several captures', '/system.slice/shop@v3.service', 'host', 'shop', 'v3'],
    ['a visible word for an empty capture', '/batch', 'batch', 'job', 'unknown'],
  ])('names a cgroup by %s', (_, path, namespace, app, version) => {
    expect(source.workloadAt(path)).toEqual({ namespace, app, version });
  });

  it.each(['/demo', '/demo/v1/worker', '/', '/other'])('names nothing that no glob matches: %s', (path) => {
    expect(source.workloadAt(path)).toBeUndefined();
  });
});
