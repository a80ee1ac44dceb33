import { expect, test } from 'vitest';
import { between, costByProbe } from './attribute.ts';
import { programTypes, type ProgramReading } from './programs.ts';

const program = (id: number, type: keyof typeof programTypes, nanoseconds: number): ProgramReading => ({
  id,
  type: programTypes[type],
  runs: 1,
  nanoseconds,
  misses: 0,
});
const owned = [
  { probe: 'http', attachPoint: 'tracepoint:syscalls:sys_enter_read' },
  { probe: 'tcp', attachPoint: 'tracepoint:sock:inet_sock_set_state' },
  { probe: 'http', attachPoint: 'tracepoint:sock:inet_sock_set_state' },
];

test('programs are their probes’ in the order of the text, whatever else is loaded between them', () => {
  const costs = costByProbe(
    [
      program(1, 'kprobe', 1),
      program(2, 'tracepoint', 10),
      program(3, 'perfEvent', 2),
      program(4, 'tracepoint', 20),
      program(5, 'tracepoint', 40),
    ],
    owned,
  );
  expect([...costs].map(([probe, { nanoseconds }]) => [probe, nanoseconds])).toEqual([
    ['http', 50],
    ['tcp', 20],
  ]);
});

test('with more or fewer of them than there should be, nobody is blamed', () => {
  const costs = costByProbe([program(1, 'tracepoint', 10)], owned);
  expect([...costs.keys()]).toEqual(['unknown']);
});

test('uprobes, of which a library may give any number, are those of the only probe that has any', () => {
  const withTls = [...owned, { probe: 'tls', attachPoint: 'uprobe:/lib/libssl.so:SSL_read' }];
  const costs = costByProbe([program(1, 'kprobe', 10), program(2, 'kprobe', 20)], withTls);
  expect(costs.get('tls')?.nanoseconds).toBe(30);
});

test('a probe that was not there before has cost what it has now', () => {
  const cost = { runs: 3, nanoseconds: 30, misses: 1 };
  const more = { runs: 5, nanoseconds: 70, misses: 1 };
  const costs = between(new Map([['http', cost]]), new Map([['http', more], ['tcp', cost]])); // prettier-ignore
  expect(costs.get('http')).toEqual({ runs: 2, nanoseconds: 40, misses: 0 });
  expect(costs.get('tcp')).toEqual(cost);
});
