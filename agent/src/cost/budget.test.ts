import { expect, test } from 'vitest';
import { createBudget } from './budget.ts';

/** Shares of one core at load 1. */
const shares = { http: 0.004, tcp: 0.002, runqueue: 0.008, blockio: 0.001, http2: 0 };

/** A node whose load multiplies what its probes cost; those that are off cost nothing. */
const createNode = (isObeyed: (off: readonly string[]) => boolean = () => true) => {
  const budget = createBudget(0.02, ['runqueue', 'http2', 'blockio', 'tcp']);
  let off: readonly string[] = [];
  return (load: number, samples: number) => {
    for (let sample = 0; sample < samples; sample++) {
      const running = Object.entries(shares).filter(([probe]) => !off.includes(probe));
      const shareByProbe = new Map(running.map(([probe, share]) => [probe, share * load]));
      const wanted = budget.observe({ shareByProbe, switchesPerSecond: 10_000 * load }, off);
      if (isObeyed(wanted)) off = wanted;
    }
    return off;
  };
};

test('within the budget everything runs', () => {
  expect(createNode()(1, 100)).toEqual([]);
});

test('one burst switches nothing off', () => {
  const run = createNode();
  expect(run(10, 1)).toEqual([]);
  expect(run(1, 1)).toEqual([]);
  expect(run(10, 1)).toEqual([]);
});

test('probes go in their order, as many as must; http never, and none that costs next to nothing', () => {
  const run = createNode();
  expect(run(2, 2)).toEqual(['runqueue']);
  expect(run(2, 50)).toEqual(['runqueue']);
  expect(run(4.5, 2)).toEqual(['runqueue', 'blockio', 'tcp']);
  expect(run(20, 50)).toEqual(['runqueue', 'blockio', 'tcp']);
});

test('the last comes back first, when it has been quiet for long enough', () => {
  const run = createNode();
  run(4.5, 2);
  expect(run(1, 9)).toEqual(['runqueue', 'blockio', 'tcp']);
  expect(run(1, 1)).toEqual(['runqueue', 'blockio']);
  expect(run(1, 10)).toEqual(['runqueue']);
  expect(run(1, 10)).toEqual([]);
});

test('a load at which it would have to go again does not bring it back', () => {
  const run = createNode();
  expect(run(2, 2)).toEqual(['runqueue']);
  expect(run(1.2, 100)).toEqual(['runqueue']);
  expect(run(1, 10)).toEqual([]);
});

test('under a load that comes and goes, a probe stays away ever longer, up to 240 samples', () => {
  const run = createNode();
  const quietUntilBack = () => {
    run(2, 2);
    for (let samples = 1; samples <= 1000; samples++) if (run(0.5, 1).length === 0) return samples;
    return NaN;
  };
  expect([1, 2, 3, 4, 5, 6].map(quietUntilBack)).toEqual([10, 20, 40, 80, 160, 240]);
  run(1, 1000);
  expect(quietUntilBack()).toBe(10);
});

test('a probe that could not be switched off is asked to go again', () => {
  let refusals = 1;
  const run = createNode((off) => off.length === 0 || refusals-- <= 0);
  expect(run(2, 2)).toEqual([]);
  expect(run(2, 2)).toEqual(['runqueue']);
});
