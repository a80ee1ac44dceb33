// In: outcomes of cells. Out: the table for a terminal and for docs/compatibility.md.
import { describeModes } from './outcome.ts';
import type { CellOutcome } from './run-cell.ts';
import { bpftraces, type Cell } from './cells.ts';

/** docs/compatibility.md, as Markdown that Prettier has still to align. */
export const compatibilityPage = (outcomes: readonly CellOutcome[], now: Date): string => `# Compatibility

Written by \`npm run test:kernels\` on ${now.toISOString().slice(0, 10)}. It boots Debian's cloud kernels (x86-64) in virtual machines and runs the agent in them with Debian's bpftrace packages, against real servers and clients. In each cell what \`plumbline check --json\` promises is what then happens; requests and connections count as their clients know them, by the cgroup they belong to; latencies are plausible; \`promtool check metrics\` accepts \`/metrics\`; and after SIGKILL of the agent no bpftrace is left.

${compatibilityTable(outcomes)}

- **full**: every probe loads and delivers all it has; otherwise the probes are named that are reduced or left out. Behind it: how much of what the clients sent was counted. Runs of programs that the kernel skipped, because another was active on the same CPU, are the most that may lack; the kernel counts them.
- **no-btf**: the kernel's type information is hidden, as on vanilla kernels before 5.4 or built without \`CONFIG_DEBUG_INFO_BTF\`. Reduced probes keep to what Linux 4.18 has: programs of at most 4096 instructions, no loops, helpers of that time. \`npm run test:compat\` checks that for every program that it loads.
- **cgroup-v1**: the controllers of cgroup v1 alone are mounted, as systemd does with \`systemd.unified_cgroup_hierarchy=0\`.
- **refuses**: the agent does not start, and says which of these is missing, with the remedy.
`;

/** A row for each kernel and scenario, a column for each bpftrace. */
export const compatibilityTable = (outcomes: readonly CellOutcome[]): string => {
  const columns = bpftraces.filter((one) => outcomes.some(({ cell }) => cell.bpftrace === one));
  const rows = [...new Set(outcomes.map(({ cell }) => rowName(cell)))];
  const outcomeAt = (row: string, column: (typeof columns)[number]) =>
    outcomes.find(({ cell }) => rowName(cell) === row && cell.bpftrace === column);
  const versionOf = (column: (typeof columns)[number]) =>
    outcomes.find(({ cell, versions }) => cell.bpftrace === column && versions !== undefined)?.versions
      ?.bpftrace ?? column.version;
  return [
    ['Linux', ...columns.map((column) => `bpftrace ${versionOf(column)}`)],
    ['---', ...columns.map(() => '---')],
    ...rows.map((row) => {
      const kernel = columns.map((column) => outcomeAt(row, column)?.versions?.kernel).find(Boolean);
      const name = kernel === undefined ? row : row.replace(/^\S+/, kernel);
      return [name, ...columns.map((column) => describe(outcomeAt(row, column)))];
    }),
  ]
    .map((line) => `| ${line.join(' | ')} |`)
    .join('\n');
};

const rowName = ({ kernel, scenario }: Cell): string =>
  kernel.version + (scenario === 'full' ? '' : `, ${scenario}`);

const describe = (outcome: CellOutcome | undefined): string => {
  if (outcome === undefined) return '';
  if (!outcome.ok) return `**FAILED**: ${(outcome.failures[0] ?? '').split('\n')[0] ?? ''}`;
  return [describeModes(outcome), describeCounts(outcome)].filter(Boolean).join('; ');
};

const describeCounts = ({ messages }: CellOutcome): string => {
  for (const message of messages) {
    if (message.kind !== 'counts') continue;
    const { sent, counted, skippedRuns } = message;
    return `${counted} of ${sent}${skippedRuns > 0 ? ` (${skippedRuns} runs skipped)` : ''}`;
  }
  return '';
};
