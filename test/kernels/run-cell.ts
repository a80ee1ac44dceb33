// In: a cell and the parts of guests. Out: what came of it, now or when it was run last.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nameOf, type Cell } from './cells.ts';
import { runGuest } from './guest.ts';
import type { Message } from './report.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import type { Supplies } from './prepare.ts';

export interface CellOutcome extends Outcome {
  readonly cell: Cell;
  /** Of the Debian packages; undefined if they could not be had. */
  readonly versions: { readonly kernel: string; readonly bpftrace: string } | undefined;
  /** When it was run: 2026-11-21. */
  readonly day: string;
}

export interface RunOptions {
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  readonly onMessage: (message: Message) => void;
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
    const messages = await runGuest({
      emulator: emulator.path,
      kernel: kernel.path,
      archives: [base, modules.path, bpftrace.path],
      scenario: cell.scenario,
      timeoutSeconds,
      signal,
      logFolder: folderOf(cell),
      onMessage,
    });
    return { messages, seconds: (performance.now() - startMs) / 1000 };
  });
  const result = { ...outcome, cell, versions, day: new Date().toISOString().slice(0, 10) };
  // A cell whose parts could not be had was not run, and says nothing new.
  if (versions !== undefined) {
    await mkdir(folderOf(cell), { recursive: true });
    await writeFile(join(folderOf(cell), 'outcome.json'), JSON.stringify(result));
  }
  return result;
};

/** What came of it when it was run last on this machine; undefined if it never was. */
export const lastOutcomeOf = async (cell: Cell): Promise<CellOutcome | undefined> => {
  const text = await readFile(join(folderOf(cell), 'outcome.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : { ...(JSON.parse(text) as CellOutcome), cell };
};

const folderOf = (cell: Cell): string =>
  new URL(`../results/kernels/${nameOf(cell).replaceAll(/[ ,]+/g, '-')}`, import.meta.url).pathname;
