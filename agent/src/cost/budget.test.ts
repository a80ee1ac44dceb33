import { expect, test } from 'vitest';
import { createBudget } from './budget.ts';

const shares = { http: 0.004, tcp: 0.001, runqueue: 0.008, blockio: 0.001 };

/** A node whose load multiplies what its probes cost; those that are off cost nothing. */
const createNode = () => {
  const budget = createBudget(0.02, ['runqueue', 'blockio', 'tcp']);
  let off: readonly string[] = [];
  return (load: number, samples: number) => {
    for (let sample = 0; sample < samples; sample++) {
      const running = Object.entries(shares).filter(([probe]) => !off.includes(probe));
      off = budget.observe(new Map(running.map(([probe, share]) => [probe, share * load])));
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

test('probes go in their order, as many as must; http never', () => {
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
  expect(run(1.5, 100)).toEqual(['runqueue']);
  expect(run(1.1, 10)).toEqual([]);
});
