// In: a cell and the parts of guests. Out: what came of it.
import { nameOf, type Cell } from './cells.ts';
import { runGuest } from './guest.ts';
import type { Message } from './report.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import type { Supplies } from './prepare.ts';

export interface CellOutcome extends Outcome {
  readonly cell: Cell;
  /** Of the Debian packages; undefined if they could not be had, so that nothing was run. */
  readonly versions: { readonly kernel: string; readonly bpftrace: string } | undefined;
  /** When it was run: 2026-11-21. */
  readonly day: string;
}

export interface RunOptions {
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  readonly onMessage: (message: Message, cpuSeconds: number) => void;
}

/** Boots a guest and judges what it reports; it never throws. */
export const runCell = async (
  cell: Cell,
  supplies: Supplies,
  { timeoutSeconds, signal, onMessage }: RunOptions,
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
    const report = await runGuest({
      emulator: emulator.path,
      kernel: kernel.path,
      archives: [base, modules.path, bpftrace.path],
      scenario: cell.scenario,
      timeoutSeconds,
      signal,
      logFolder: folderOf(cell),
      onMessage,
    });
    return { ...report, seconds: (performance.now() - startMs) / 1000 };
  });
  return { ...outcome, cell, versions, day: new Date().toISOString().slice(0, 10) };
};

const folderOf = (cell: Cell): string =>
  new URL(`../results/kernels/${nameOf(cell).replaceAll(/[ ,]+/g, '-')}`, import.meta.url).pathname;
