// In: a cell and the parts of guests. Out: what came of it.
import { nameOf, type Cell } from './cells.ts';
import { runGuest } from './guest.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import type { Supplies } from './prepare.ts';

export interface CellOutcome extends Outcome {
  readonly cell: Cell;
  /** Of the Debian packages; undefined if they could not be had. */
  readonly versions: { readonly kernel: string; readonly bpftrace: string } | undefined;
}

/** Boots a guest and judges what it reports; it never throws. */
export const runCell = async (
  cell: Cell,
  supplies: Supplies,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<CellOutcome> => {
  let versions: CellOutcome['versions'];
  const outcome = await outcomeOf(nameOf(cell), async () => {
    const [emulator, kernel, bpftrace, base] = await Promise.all([
      supplies.emulator(),
      supplies.kernel(cell.kernel),
      supplies.bpftraceArchive(cell.bpftrace),
      supplies.base(),
    ]);
    versions = { kernel: kernel.version, bpftrace: bpftrace.version };
    const startMs = performance.now();
    const messages = await runGuest({
      emulator: emulator.path,
      kernel: kernel.path,
      archives: [base, bpftrace.path],
      scenario: cell.scenario,
      timeoutSeconds,
      signal,
    });
    return { messages, seconds: (performance.now() - startMs) / 1000 };
  });
  return { ...outcome, cell, versions };
};
