// In: outcomes of cells, and the page so far. Out: the table for a terminal and for docs/compatibility.md.
import { describeModes } from './outcome.ts';
import type { CellOutcome } from './run-cell.ts';
import { bpftraces, cells, type Cell } from './cells.ts';

/** docs/compatibility.md, as Markdown that Prettier has still to align. What was not run keeps what `page` says of it. */
export const compatibilityPage = (outcomes: readonly CellOutcome[], page: string): string => `# Compatibility

Written by \`npm run test:kernels\`, which boots Debian's cloud kernels (x86-64) in virtual machines and runs the agent in them with Debian's bpftrace packages, against real servers and clients. In each cell what \`plumbline check --json\` promises is what then happens; requests and connections count as their clients know them, by the cgroup they belong to; latencies are plausible; \`promtool check metrics\` accepts \`/metrics\`; and after SIGKILL of the agent no bpftrace is left.

${compatibilityTable(cells, outcomes, page)}

- **full**: every probe loads and delivers all it has; otherwise the probes are named that are reduced or left out. Behind it: how much of what the clients sent was counted. Runs of programs that the kernel skipped, because another was active on the same CPU, are the most that may lack; the kernel counts them from 6.1 on. The day is that of the run.
- **no-btf**: the kernel's type information is hidden, as on vanilla kernels before 5.4 or built without \`CONFIG_DEBUG_INFO_BTF\`. Reduced probes keep to what Linux 4.18 has: programs of at most 4096 instructions, no loops, helpers of that time. \`npm test\` holds to that every program that is loaded there.
- **cgroup-v1**: the controllers of cgroup v1 alone are mounted, as systemd does with \`systemd.unified_cgroup_hierarchy=0\`.
- **not run**: nothing is known of this cell with these versions.
- **4.18 to 5.9** are not booted: Debian's releases of today have no such kernel. What differs there is tested by itself: that ids of cgroups below 5.5 have a generation above the inode, that \`runqueue\` is left out below 5.8, and what older verifiers take. Nor are those between the ones above, such as 5.15 to 5.19, which Debian's archive has no longer: of them nothing has been seen, but that their neighbours take the probes.
- **arm64** is not in the table. The same tests were run there once, on 2026-11-22, in a machine emulated likewise (Neoverse N1): Linux 6.1 (6.1.176-1) with bpftrace 0.17 (0.17.0-1) had every probe as on x86-64, 317 of 317 counted, and nothing amiss; with Linux 6.12 (6.12.107-1) and bpftrace 0.23, \`plumbline check\` promised every probe in full, \`tls\` as well, and they were loaded and up; the run was ended before they had counted anything.
- **refuses**: the agent does not start, and says which of these is missing, with the remedy.
`;

/**
 * A row for each kernel and scenario of these cells, a column for each bpftrace. A cell that was not run says what it says
 * in the table of `page`, if that was of the same versions.
 */
export const compatibilityTable = (
  cells: readonly Cell[],
  outcomes: readonly CellOutcome[],
  page = '',
): string => {
  const run = outcomes.filter(({ versions }) => versions !== undefined);
  const before = readTable(page);
  const releases = bpftraces.filter((one) => cells.some(({ bpftrace }) => bpftrace === one));
  const columns = releases.map((release) => {
    const version = run.find(({ cell }) => cell.bpftrace === release)?.versions?.bpftrace;
    return labelOf(`bpftrace ${release.version}`, version, before.columns);
  });
  const rows = [...new Set(cells.map(rowOf))].map((row) => {
    const version = run.find(({ cell }) => rowOf(cell) === row)?.versions?.kernel;
    const label = labelOf(row, version, before.rows);
    const texts = releases.map((release, index) => {
      const cell = cells.find((one) => rowOf(one) === row && one.bpftrace === release);
      if (cell === undefined) return '';
      const outcome = run.find((one) => one.cell === cell);
      return outcome === undefined
        ? (before.at(label, columns[index] ?? '') ?? 'not run')
        : describe(outcome);
    });
    return [label, ...texts];
  });
  return [['Linux', ...columns], ['---', ...columns.map(() => '---')], ...rows]
    .map((line) => `| ${line.join(' | ')} |`)
    .join('\n');
};

/** "6.1 (6.1.176-1)": what is looked for, and the package's version, now or in the page so far. */
const labelOf = (name: string, version: string | undefined, before: readonly string[]): string =>
  version === undefined
    ? (before.find((label) => label.startsWith(`${name} (`)) ?? name)
    : `${name} (${version})`;

const rowOf = ({ kernel, scenario }: Cell): string =>
  kernel.version + (scenario === 'full' ? '' : `, ${scenario}`);

/** The first table of a page, by the labels of its rows and columns. */
const readTable = (page: string) => {
  const [head = [], , ...body] = page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((text) => text.trim()),
    );
  return {
    columns: head.slice(1),
    rows: body.map(([label = '']) => label),
    at: (row: string, column: string): string | undefined =>
      body.find(([label]) => label === row)?.[head.indexOf(column)],
  };
};

const describe = (outcome: CellOutcome): string => {
  if (!outcome.ok)
    return `**FAILED** ${outcome.day}: ${(outcome.failures[0] ?? '').split('\n')[0]?.replaceAll('|', '/') ?? ''}`;
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
