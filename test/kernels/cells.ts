// Out: the cells of the matrix: which kernel, with which bpftrace, and what is taken away from it.

/** A kernel or a bpftrace: a Debian suite, and the version by which people know what it ships. */
export interface Release {
  readonly suite: string;
  readonly version: string;
}

/** The newest of each stable series, and what comes next. */
export const kernels: readonly Release[] = [
  { suite: 'bullseye', version: '5.10' },
  { suite: 'bookworm', version: '6.1' },
  { suite: 'trixie', version: '6.12' },
  { suite: 'sid', version: 'sid' },
];

export const bpftraces: readonly Release[] = [
  { suite: 'bookworm', version: '0.17' },
  { suite: 'trixie', version: '0.23' },
  { suite: 'sid', version: 'sid' },
];

/** What inside/init.sh takes away: nothing; the kernel's type information; the v2 hierarchy of cgroups. */
export const scenarios = ['full', 'no-btf', 'cgroup-v1'] as const;
export type Scenario = (typeof scenarios)[number];

export interface Cell {
  readonly kernel: Release;
  readonly bpftrace: Release;
  readonly scenario: Scenario;
}

/** Every pair in full; the oldest kernel without BTF with each bpftrace, and on cgroup v1 with the oldest. */
export const cells: readonly Cell[] = scenarios.flatMap((scenario) =>
  (scenario === 'full' ? kernels : kernels.slice(0, 1)).flatMap((kernel) =>
    (scenario === 'cgroup-v1' ? bpftraces.slice(0, 1) : bpftraces).map((bpftrace) => ({
      kernel,
      bpftrace,
      scenario,
    })),
  ),
);

export const nameOf = ({ kernel, bpftrace, scenario }: Cell): string =>
  `Linux ${kernel.version}, bpftrace ${bpftrace.version}${scenario === 'full' ? '' : `, ${scenario}`}`;
