// In: procfs. Out: what the whole node suffers: pressure, and the time that its hypervisor takes.
import type { SelfMetric } from '../exposition/self.ts';
import { kinds, resources } from './cgroups.ts';
import { parsePressure, parseSteal } from './parse.ts';
import { readText } from './read.ts';

/** Read when a scrape comes. */
export const nodeMetrics = (procfs = '/proc'): readonly SelfMetric[] => [
  {
    name: 'plumbline_node_pressure_seconds_total',
    help: 'Time in which some or all tasks of the node stalled for a resource (PSI).',
    kind: 'counter',
    read: () =>
      resources.flatMap((resource) => {
        const pressure = parsePressure(readText(`${procfs}/pressure/${resource}`) ?? '');
        return kinds.flatMap((kind) => {
          const us = pressure[kind];
          return us === undefined ? [] : [[us / 1e6, { resource, kind }] as const];
        });
      }),
  },
  {
    name: 'plumbline_node_steal_seconds_total',
    help: 'Time that the hypervisor gave to others while this node wanted to run, summed over CPUs.',
    kind: 'counter',
    read: () => {
      const ticks = parseSteal(readText(`${procfs}/stat`) ?? '');
      return ticks === undefined ? [] : [[ticks / 100]];
    },
  },
];
