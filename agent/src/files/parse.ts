// In: texts of cgroupfs and procfs. Out: the numbers in them, in the kernel's units. Pure.

/** The value of a key in a file of lines `key value`, such as cpu.stat; undefined if it is not there. */
export const valueOfKey = (text: string, key: string): number | undefined => {
  const start = text.startsWith(`${key} `) ? 0 : text.indexOf(`\n${key} `) + 1;
  if (start === 0 && !text.startsWith(`${key} `)) return undefined;
  return number(text.slice(start + key.length + 1).split('\n', 1)[0]);
};

/** A file that is one number, such as memory.current. */
export const singleValue = (text: string): number | undefined => number(text.trim());

/** Total stall time (us) of a pressure file (Documentation/accounting/psi.rst); `full` is missing in some. */
export const parsePressure = (text: string): { readonly some?: number; readonly full?: number } => {
  const total = (kind: string) => number(new RegExp(`^${kind} .*total=(\\d+)`, 'm').exec(text)?.[1]);
  const [some, full] = [total('some'), total('full')];
  return { ...(some !== undefined && { some }), ...(full !== undefined && { full }) };
};

/** Time (ticks of 10 ms) that the hypervisor took from all CPUs together, of /proc/stat (proc(5)). */
export const parseSteal = (text: string): number | undefined =>
  number(/^cpu +(?:\d+ +){7}(\d+)/.exec(text)?.[1]);

/** Times of a CPU, in ticks of 10 ms. */
export interface CpuTimes {
  /** It ran something: user, nice, system, irq and softirq. */
  readonly run: number;
  /** It wanted to, and the hypervisor ran others. */
  readonly stolen: number;
}

/** Times by number of the CPU, of /proc/stat (proc(5)); without steal where the kernel tells none. */
export const parseCpuTimes = (text: string): ReadonlyMap<number, CpuTimes> =>
  new Map(
    [...text.matchAll(/^cpu(\d+) (.+)$/gm)].map(([, cpu, times = '']) => {
      const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = times
        .split(' ')
        .map((ticks) => number(ticks) ?? 0);
      return [Number(cpu), { run: user + nice + system + irq + softirq, stolen }];
    }),
  );

/** The CPUs of a list such as `0-3,8` (cpuset(7)); undefined for what is none. */
export const parseCpuList = (text: string): readonly number[] | undefined => {
  const ranges = text.split(',').map((range) => range.split('-').map(number));
  const cpus = ranges.flatMap(([first, last = first]) =>
    first === undefined || last === undefined
      ? []
      : Array.from({ length: last - first + 1 }, (_, i) => first + i),
  );
  return cpus.length > 0 ? cpus : undefined;
};

const number = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
