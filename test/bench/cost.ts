// In: process ids. Out: what they cost; and the kernel's books of BPF programs, kept meanwhile.
import { execa } from 'execa';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';

/**
 * BPF_ENABLE_STATS (32) of BPF_STATS_RUN_TIME (0), in force until its descriptor is closed (Linux 5.8): kernel.bpf_stats_enabled
 * is not ours alone, and an agent that has sampled turns it off.
 */
const holder = `import ctypes, os, sys
number = {'x86_64': 321, 'aarch64': 280}[os.uname().machine]
if ctypes.CDLL(None, use_errno=True).syscall(number, 32, ctypes.byref(ctypes.c_uint32(0)), 4) < 0:
  sys.exit(os.strerror(ctypes.get_errno()))
print('on', flush=True)
sys.stdin.read()`;

/** Has the kernel keep run time and count of every BPF program while `use` runs. */
export const withBpfStats = async <Result>(use: () => Promise<Result>): Promise<Result> => {
  const child = execa('python3', ['-c', holder], { stdin: 'pipe', buffer: false });
  try {
    await Promise.race([once(child.stdout, 'data'), child]);
    return await use();
  } finally {
    child.stdin.end();
    await child;
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
