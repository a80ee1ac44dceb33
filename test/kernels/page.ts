// In: outcomes of cells. Out: the table for a terminal and for docs/compatibility.md.
import { describeModes } from './outcome.ts';
import type { CellOutcome } from './run-cell.ts';
import { bpftraces, cells, type Cell } from './cells.ts';

/** docs/compatibility.md, as Markdown that Prettier has still to align. */
export const compatibilityPage = (outcomes: readonly CellOutcome[]): string => `# Compatibility

Written by \`npm run test:kernels\`, which boots Debian's cloud kernels (x86-64) in virtual machines and runs the agent in them with Debian's bpftrace packages, against real servers and clients. In each cell what \`plumbline check --json\` promises is what then happens; requests and connections count as their clients know them, by the cgroup they belong to; latencies are plausible; \`promtool check metrics\` accepts \`/metrics\`; and after SIGKILL of the agent no bpftrace is left.

${compatibilityTable(cells, outcomes)}

- **full**: every probe loads and delivers all it has; otherwise the probes are named that are reduced or left out. Behind it: how much of what the clients sent was counted. Runs of programs that the kernel skipped, because another was active on the same CPU, are the most that may lack; the kernel counts them from 6.1 on. The day is that of the run.
- **no-btf**: the kernel's type information is hidden, as on vanilla kernels before 5.4 or built without \`CONFIG_DEBUG_INFO_BTF\`. Reduced probes keep to what Linux 4.18 has: programs of at most 4096 instructions, no loops, helpers of that time. \`npm test\` holds every program to that.
- **cgroup-v1**: the controllers of cgroup v1 alone are mounted, as systemd does with \`systemd.unified_cgroup_hierarchy=0\`.
- **not run**: nothing is known of this cell.
- **refuses**: the agent does not start, and says which of these is missing, with the remedy.
`;

/** A row for each kernel and scenario of these cells, a column for each bpftrace. A cell without an outcome was not run. */
export const compatibilityTable = (cells: readonly Cell[], outcomes: readonly CellOutcome[]): string => {
  const columns = bpftraces.filter((one) => cells.some(({ bpftrace }) => bpftrace === one));
  const rows = [...new Set(cells.map(rowName))];
  const versionOf = (column: (typeof columns)[number]) =>
    outcomes.find(({ cell, versions }) => cell.bpftrace === column && versions !== undefined)?.versions
      ?.bpftrace ?? column.version;
  return [
    ['Linux', ...columns.map((column) => `bpftrace ${versionOf(column)}`)],
    ['---', ...columns.map(() => '---')],
    ...rows.map((row) => {
      const version = outcomes.find(({ cell, versions }) => rowName(cell) === row && versions !== undefined)
        ?.versions?.kernel;
      const name = version === undefined ? row : row.replace(/^[^,]+/, version);
      const at = (column: (typeof columns)[number]) => {
        const cell = cells.find((one) => rowName(one) === row && one.bpftrace === column);
        return cell === undefined ? '' : describe(outcomes.find((one) => one.cell === cell));
      };
      return [name, ...columns.map(at)];
    }),
  ]
    .map((line) => `| ${line.join(' | ')} |`)
    .join('\n');
};

const rowName = ({ kernel, scenario }: Cell): string =>
  kernel.version + (scenario === 'full' ? '' : `, ${scenario}`);

const describe = (outcome: CellOutcome | undefined): string => {
  if (outcome === undefined) return 'not run';
  if (!outcome.ok) return `**FAILED** ${outcome.day}: ${(outcome.failures[0] ?? '').split('\n')[0] ?? ''}`;
  return [describeModes(outcome), describeCounts(outcome), outcome.day].filter(Boolean).join('; ');
};

const describeCounts = ({ messages }: CellOutcome): string => {
  for (const message of messages) {
    if (message.kind !== 'counts') continue;
    const { sent, counted, skippedRuns } = message;
    return `${counted} of ${sent}${skippedRuns > 0 ? ` (${skippedRuns} runs skipped)` : ''}`;
  }
  return '';
};
