// In: process ids. Out: what they cost; and the kernel's books of BPF programs, kept meanwhile.
import { readFile, writeFile } from 'node:fs/promises';

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

/** User and system time of a process so far, in seconds. */
export const cpuSeconds = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime and stime are fields 14 and 15 of proc(5), in ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

export const residentMegabytes = async (pid: number): Promise<number> =>
  Number(/^VmRSS:\s*(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
