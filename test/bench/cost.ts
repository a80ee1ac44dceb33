// In: process ids. Out: what their BPF programs and they themselves cost, from the kernel's own books.
import { readdir, readFile, writeFile } from 'node:fs/promises';

export interface ProgramCost {
  readonly runs: number;
  readonly nanoseconds: number;
}

const statsSwitch = '/proc/sys/kernel/bpf_stats_enabled';

/** Has the kernel keep run time and count of every BPF program while `use` runs. */
export const withBpfStats = async <Result>(use: () => Promise<Result>): Promise<Result> => {
  const before = await readFile(statsSwitch, 'utf8');
  await writeFile(statsSwitch, '1');
  try {
    return await use();
  } finally {
    await writeFile(statsSwitch, before);
  }
};

/** Cost of each program that a process holds, in the order in which they were loaded. */
export const programCosts = async (pid: number): Promise<readonly ProgramCost[]> => {
  const byId = new Map<number, ProgramCost>();
  for (const fd of await readdir(`/proc/${pid}/fdinfo`)) {
    const text = await readFile(`/proc/${pid}/fdinfo/${fd}`, 'utf8').catch(() => '');
    const field = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? NaN);
    if (text.includes('prog_type:')) {
      byId.set(field('prog_id'), { runs: field('run_cnt'), nanoseconds: field('run_time_ns') });
    }
  }
  return [...byId].sort(([a], [b]) => a - b).map(([, cost]) => cost);
};

/** User and system time of a process so far, in seconds. */
export const cpuSeconds = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime and stime are fields 14 and 15 of proc(5), in ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

export const residentMegabytes = async (pid: number): Promise<number> =>
  Number(/^VmRSS:\s*(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
