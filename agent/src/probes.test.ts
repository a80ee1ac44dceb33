import { expect, test } from 'vitest';
import { chooseProbes, loadProbes, textOf } from './probes.ts';

test('every probe is found by its two files', async () => {
  const names = (await loadProbes()).map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['http', 'runqueue', 'tcp']));
});

test('only the probes that are wanted are chosen; without a wish, all but those that must be named', async () => {
  const all = await loadProbes();
  const namesOf = (wanted?: readonly string[]) => chooseProbes(all, wanted).map(({ name }) => name);
  expect(namesOf(['tcp', 'http'])).toEqual(['http', 'tcp']);
  expect(namesOf(['tls'])).toEqual(['tls']);
  expect(namesOf()).toEqual(all.map(({ name }) => name).filter((name) => name !== 'tls'));
});

test('each probe alone assigns every map that it uses, so that any of the others may be left out', async () => {
  for (const probe of await loadProbes()) {
    const text = textOf(probe, undefined).replace(/\/\*[^]*?\*\//g, '');
    const mapsOf = (pattern: RegExp) => new Set([...text.matchAll(pattern)].map(([, map]) => map));
    const assigned = mapsOf(/(@\w+)(?:\[[^\]]*\])?\s*=(?!=)/g);
    const unassigned = [...mapsOf(/(@\w+)/g)].filter((map) => !assigned.has(map));
    expect(unassigned, probe.name).toEqual([]);
  }
});
