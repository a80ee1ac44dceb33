// In: /proc/PID/fdinfo of a process that holds BPF programs. Out: what the kernel has booked for each of them.
import { readdir, readFile } from 'node:fs/promises';

export interface ProgramReading {
  readonly id: number;
  /** BPF_PROG_TYPE_ of include/uapi/linux/bpf.h. */
  readonly type: number;
  /** Runs and their time (ns), as far as kernel.bpf_stats_enabled was on. */
  readonly runs: number;
  readonly nanoseconds: number;
  /** Runs that the kernel left out because another program was at work on that CPU. */
  readonly misses: number;
}

export const programTypes = { kprobe: 2, tracepoint: 5, perfEvent: 7 };

/** Every program of a process, in the order in which they were loaded; none if there is no such process. */
export const readPrograms = async (pid: number): Promise<readonly ProgramReading[]> => {
  const folder = `/proc/${pid}/fdinfo`;
  const descriptors = await readdir(folder).catch(() => []);
  const texts = await Promise.all(
    descriptors.map((name) => readFile(`${folder}/${name}`, 'utf8').catch(() => '')),
  );
  const byId = new Map(texts.flatMap((text) => parseFdinfo(text) ?? []).map((one) => [one.id, one]));
  return [...byId.values()].sort((a, b) => a.id - b.id);
};

/** What a file of fdinfo says of a BPF program; undefined if it is about anything else. Pure. */
export const parseFdinfo = (text: string): ProgramReading | undefined => {
  const field = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? NaN);
  const id = field('prog_id');
  // A link has a prog_id, too, but no type of program.
  if (Number.isNaN(id) || Number.isNaN(field('prog_type'))) return undefined;
  return {
    id,
    type: field('prog_type'),
    runs: field('run_cnt') || 0, // Linux 5.1
    nanoseconds: field('run_time_ns') || 0,
    misses: field('recursion_misses') || 0, // Linux 5.12
  };
};
