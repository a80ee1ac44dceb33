import { expect, test } from 'vitest';
import { migrate } from './migrations.ts';

test('what this version knows is kept as it is', () => {
  const options = {
    layout: 'compact',
    quantile: 0.95,
    sections: ['overlay', 'nodes'],
    judge: { alpha: 0.02 },
  };
  expect(migrate({ options })).toEqual(options);
});

test('what it does not know gives way to the defaults', () => {
  const options = { layout: 'circular', quantile: 0.42, sections: 'all', app: 'checkout' };
  expect(migrate({ options })).toEqual({ app: 'checkout' });
  expect(migrate({ options: { sections: ['overlay', 'pie'] } })).toEqual({ sections: ['overlay'] });
});

test.each([
  ['p99', 0.99],
  ['p50', 0.5],
  ['0.9', 0.9],
])('a quantile that is written as %s by hand is read', (quantile, p) => {
  expect(migrate({ options: { quantile } })).toEqual({ quantile: p });
});

test('a panel that was never saved has no options', () => {
  expect(migrate({ options: undefined as never })).toEqual({});
});
