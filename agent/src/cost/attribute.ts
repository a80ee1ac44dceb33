// In: the programs of a bpftrace process, and the text it was given. Out: what each probe costs. Pure.
import type { OwnedProgram } from '../bpftrace/compose.ts';
import { programTypes, type ProgramReading } from './programs.ts';

export interface Cost {
  readonly runs: number;
  readonly nanoseconds: number;
  readonly misses: number;
}

/** Whose the programs are that cannot be told apart. */
export const unknownProbe = 'unknown';

const nothing: Cost = { runs: 0, nanoseconds: 0, misses: 0 };

/**
 * Adds the programs up by probe. bpftrace gives them no name that the kernel would show, but loads them in the order of
 * the text: each is known by its place among those of its type. Where there are not as many as there should be, they
 * are all of one probe if only one has that type (a uprobe may match any number of functions), or else unknown.
 */
export const costByProbe = (
  programs: readonly ProgramReading[],
  owned: readonly OwnedProgram[],
): ReadonlyMap<string, Cost> => {
  const costs = new Map<string, Cost>();
  for (const type of [programTypes.tracepoint, programTypes.kprobe]) {
    const found = programs.filter((program) => program.type === type);
    const owners = owned.filter(({ attachPoint }) => typeOf(attachPoint) === type).map(({ probe }) => probe);
    const [only] = owners;
    if (only === undefined) continue; // What is there nevertheless is bpftrace's own: BEGIN and END are uprobes.
    const fallback = owners.every((owner) => owner === only) ? only : unknownProbe;
    for (const [place, program] of found.entries()) {
      const probe = found.length === owners.length ? (owners[place] ?? fallback) : fallback;
      costs.set(probe, combine(costs.get(probe) ?? nothing, program, 1));
    }
  }
  return costs;
};

const typeOf = (attachPoint: string): number =>
  attachPoint.startsWith('tracepoint:') ? programTypes.tracepoint : programTypes.kprobe;

/** What was booked between two readings of the same process. */
export const between = (
  before: ReadonlyMap<string, Cost>,
  after: ReadonlyMap<string, Cost>,
): ReadonlyMap<string, Cost> =>
  new Map([...after].map(([probe, cost]) => [probe, combine(cost, before.get(probe) ?? nothing, -1)]));

const combine = (cost: Cost, other: Cost, sign: 1 | -1): Cost => ({
  runs: cost.runs + sign * other.runs,
  nanoseconds: cost.nanoseconds + sign * other.nanoseconds,
  misses: cost.misses + sign * other.misses,
});
