// In: a cell and the parts of guests. Out: what came of it.
import { join } from 'node:path';
import { nameOf, type Cell } from './cells.ts';
import { runGuest } from './guest.ts';
import type { Message } from './report.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import type { Supplies } from './prepare.ts';

const results = new URL('../results/kernels', import.meta.url).pathname;

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
  onMessage: (message: Message) => void,
): Promise<CellOutcome> => {
  let versions: CellOutcome['versions'];
  const outcome = await outcomeOf(nameOf(cell), async () => {
    const [emulator, kernel, modules, bpftrace, base] = await Promise.all([
      supplies.emulator(),
      supplies.kernel(cell.kernel),
      supplies.moduleArchive(cell.kernel),
      supplies.bpftraceArchive(cell.bpftrace),
      supplies.base(),
    ]);
    versions = { kernel: kernel.version, bpftrace: bpftrace.version };
    const startMs = performance.now();
    const messages = await runGuest({
      emulator: emulator.path,
      kernel: kernel.path,
      archives: [base, modules.path, bpftrace.path],
      scenario: cell.scenario,
      timeoutSeconds,
      signal,
      logFolder: join(results, nameOf(cell).replaceAll(/[ ,]+/g, '-')),
      onMessage,
    });
    return { messages, seconds: (performance.now() - startMs) / 1000 };
  });
  return { ...outcome, cell, versions };
};
