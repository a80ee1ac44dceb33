import { describe, expect, it } from 'vitest';
import { compileGlob, expand, wrongReferences } from './glob.ts';

describe('compileGlob', () => {
  it.each([
    ['demo/*', '/demo/v1', ['v1']],
    ['/demo/*/', '/demo/v1', ['v1']],
    ['demo/*', '/demo/v1/worker', undefined],
    ['demo/*', '/demo', undefined],
    ['demo/**', '/demo/v1/worker', ['v1/worker']],
    ['**/*.service', '/system.slice/shop@v2.service', ['system.slice', 'shop@v2']],
    ['**/*.service', '/shop.service', ['', 'shop']],
    ['**/shop@*.service', '/a.slice/b.slice/shop@v2.service', ['a.slice/b.slice', 'v2']],
    ['{web,api}-*', '/api-v3', ['api', 'v3']],
    ['@(web|api)-*', '/web-v3', ['web', 'v3']],
    ['demo/(v*)', '/demo/v1', ['v1', '1']],
    ['web-?/v[0-9]', '/web-1/v2', []],
    ['demo/*', '/demo/.hidden', ['.hidden']],
    ['demo.*', '/demoXv1', undefined],
    ['/', '/', []],
    ['/', '/demo', undefined],
  ])('matches %s with %s: %j', (glob, path, captures) => {
    expect(compileGlob(glob).match(path)).toEqual(captures);
  });

  it.each([
    ['demo', 0],
    ['demo/*', 1],
    ['**/{web,api}-*', 3],
    ['/', 0],
  ])('counts the captures of %s', (glob, captures) => {
    expect(compileGlob(glob).captures).toBe(captures);
  });

  it.each(['!demo/*', '!(demo)', '/!demo', 'demo/[a-', 'demo/(v*'])('refuses %s', (glob) => {
    expect(() => compileGlob(glob)).toThrow();
  });
});

describe('wrongReferences', () => {
  it.each([
    ['shop', 0, []],
    ['$1', 1, []],
    ['$1-$2', 1, ['$2']],
    ['$0', 1, ['$0']],
    ['$10', 1, ['$10']],
    ['$app', 1, ['$']],
    ['$$app', 0, []],
  ])('finds in %s, with %i captures, %j', (template, captures, wrong) => {
    expect(wrongReferences(template, captures)).toEqual(wrong);
  });
});

describe('expand', () => {
  it.each([
    ['shop', [], 'shop'],
    ['$2-$1', ['a', 'b'], 'b-a'],
    ['v$1', ['$2', 'b'], 'v$2'],
    ['$$1', ['a'], '$1'],
  ])('fills %s from %j', (template, captures, text) => {
    expect(expand(template, captures)).toBe(text);
  });
});
